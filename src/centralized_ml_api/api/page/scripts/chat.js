// A conversation with a model, its words shown as they are made.

const MAX_TOKENS = 256;

/** The chat of one model; `changed(request)` hears what would be sent. */
function chat(model, changed) {
  const { instructions, question, options } = startOf(model.sample);
  const messages = [...instructions];
  const talk = element("ol", { class: "talk", "aria-live": "polite", "aria-label": "Conversation" });
  const place = element("div", { class: "answer" });
  const input = element("textarea", { rows: "2", "aria-label": "Your message", placeholder: "Say something" });
  const go = element("button", { class: "primary", type: "submit" }, "Send");
  const stop = element("button", { type: "button", hidden: true }, "Stop");
  const fresh = element("button", { type: "button", class: "quiet" }, "New conversation");
  let running = null;
  input.value = question;

  const build = (next) =>
    request("/v1/chat/completions", {
      body: JSON.stringify({ model: model.name, messages: next, ...options, stream: true }),
      accept: "text/event-stream",
    });
  // With nothing written, what was sent last stays in view.
  const preview = () => {
    if (input.value.trim()) changed(build([...messages, { role: "user", content: input.value.trim() }]));
  };

  const say = async () => {
    const content = input.value.trim();
    if (!content || running) return;
    const next = [...messages, { role: "user", content }];
    const answer = element("li", { class: "busy" });
    talk.append(element("li", { class: "mine" }, content), answer);
    place.replaceChildren();
    running = new AbortController();
    toggle(true);
    try {
      await stream(build(next), answer, running.signal, place);
      messages.push(...next.slice(messages.length), { role: "assistant", content: answer.textContent });
      input.value = "";
    } catch (error) {
      if (!answer.textContent) talk.lastChild.remove(), talk.lastChild.remove();
      if (error.name !== "AbortError") showProblem(place, error, say);
    } finally {
      answer.classList.remove("busy");
      running = null;
      toggle(false);
    }
  };
  const toggle = (busy) => {
    go.disabled = busy;
    stop.hidden = !busy;
    talk.scrollTop = talk.scrollHeight;
  };

  stop.addEventListener("click", () => running?.abort());
  fresh.addEventListener("click", () => {
    running?.abort();
    messages.splice(0, messages.length, ...instructions);
    talk.replaceChildren();
    place.replaceChildren();
    preview();
    input.focus();
  });
  input.addEventListener("input", preview);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      say();
    }
  });
  preview();
  const submit = (event) => {
    event.preventDefault();
    say();
  };
  const buttons = element("p", { class: "buttons" }, go, stop, fresh);
  return element("form", { class: "answer", onsubmit: submit }, talk, place, input, buttons);
}

/** What a conversation starts with: as the sample does, with room for longer answers. */
function startOf(sample) {
  const { messages, max_tokens: tokens, ...options } = Array.isArray(sample?.messages) ? sample : { messages: [] };
  const instructions = messages.filter((message) => message?.role === "system");
  const asked = messages.findLast((message) => message?.role === "user")?.content;
  return {
    instructions,
    question: typeof asked === "string" ? asked : "What is AWS?",
    options: { ...options, max_tokens: Math.max(MAX_TOKENS, tokens ?? 0) },
  };
}

/** Fills `answer` as the words come, and says how fast they came. */
async function stream(call, answer, signal, place) {
  const started = performance.now();
  let first = "";
  let pieces = 0;
  const response = await send(call, signal);
  for await (const data of events(response)) {
    if (data === DONE) break;
    const event = parsed(data);
    if (event?.error) throw new CallError(event.error.message ?? "The model broke off.", { status: 502 });
    const piece = event?.choices?.[0]?.delta?.content;
    if (!piece) continue;
    first ||= milliseconds(started);
    pieces += 1;
    answer.append(piece);
    answer.parentElement.scrollTop = answer.parentElement.scrollHeight;
  }
  const seconds = (performance.now() - started) / 1000;
  const speed = `${(pieces / seconds).toFixed(1)} pieces a second`;
  const all = [`first word after ${first || milliseconds(started)}`, `whole answer in ${milliseconds(started)}`, speed];
  place.replaceChildren(element("p", { class: "measures" }, all.map((measure) => element("span", {}, measure))));
}
