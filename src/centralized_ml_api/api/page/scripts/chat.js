// Shows a conversation with a model, whose answers appear as they are generated.

const MAX_TOKENS = 256;

/** Builds the chat with one model; `onChange(request)` gets the request that would be sent. */
function chat(model, onChange) {
  const { instructions, question, options } = startOf(model.sample);
  const messages = [...instructions];
  const conversation = element("ol", { class: "conversation", "aria-live": "polite", "aria-label": "Conversation" });
  const output = element("div", { class: "answer" });
  const input = element("textarea", { rows: "2", "aria-label": "Your message", placeholder: "Type a message" });
  const sendButton = element("button", { class: "primary", type: "submit" }, "Send");
  const stopButton = element("button", { type: "button", hidden: true }, "Stop");
  const newButton = element("button", { type: "button", class: "quiet" }, "New conversation");
  let running = null;
  input.value = question;

  const build = (conversationSoFar) =>
    buildRequest("/v1/chat/completions", {
      body: JSON.stringify({ model: model.name, messages: conversationSoFar, ...options, stream: true }),
      accept: "text/event-stream",
    });
  // While the input is empty, the code keeps showing the last request.
  const showCode = () => {
    if (input.value.trim()) onChange(build([...messages, { role: "user", content: input.value.trim() }]));
  };

  const ask = async () => {
    const content = input.value.trim();
    if (!content || running) return;
    const next = [...messages, { role: "user", content }];
    const answer = element("li", { class: "busy" });
    conversation.append(element("li", { class: "from-user" }, content), answer);
    output.replaceChildren();
    running = new AbortController();
    setBusy(true);
    try {
      await streamAnswer(build(next), answer, running.signal, output);
      messages.push(...next.slice(messages.length), { role: "assistant", content: answer.textContent });
      input.value = "";
    } catch (error) {
      if (!answer.textContent) conversation.lastChild.remove(), conversation.lastChild.remove();
      if (error.name !== "AbortError") showProblem(output, error, ask);
    } finally {
      answer.classList.remove("busy");
      running = null;
      setBusy(false);
    }
  };
  const setBusy = (busy) => {
    sendButton.disabled = busy;
    stopButton.hidden = !busy;
    conversation.scrollTop = conversation.scrollHeight;
  };

  stopButton.addEventListener("click", () => running?.abort());
  newButton.addEventListener("click", () => {
    running?.abort();
    messages.splice(0, messages.length, ...instructions);
    conversation.replaceChildren();
    output.replaceChildren();
    showCode();
    input.focus();
  });
  input.addEventListener("input", showCode);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      ask();
    }
  });
  showCode();
  const onsubmit = (event) => {
    event.preventDefault();
    ask();
  };
  const buttons = element("p", { class: "buttons" }, sendButton, stopButton, newButton);
  return element("form", { class: "answer", onsubmit }, conversation, output, input, buttons);
}

/** Returns what a conversation starts with: the sample's messages and options, with room for longer answers. */
function startOf(sample) {
  const { messages, max_tokens: tokens, ...options } = Array.isArray(sample?.messages) ? sample : { messages: [] };
  const instructions = messages.filter((message) => message?.role === "system");
  const question = messages.findLast((message) => message?.role === "user")?.content;
  return {
    instructions,
    question: typeof question === "string" ? question : "What is AWS?",
    options: { ...options, max_tokens: Math.max(MAX_TOKENS, tokens ?? 0) },
  };
}

/** Appends the answer to `answer` as it arrives, then shows in `output` how long that took. */
async function streamAnswer(request, answer, signal, output) {
  const started = performance.now();
  let untilFirst = "";
  let count = 0;
  const response = await send(request, signal);
  for await (const data of readServerSentEvents(response)) {
    if (data === DONE) break;
    const chunk = parseJson(data);
    if (chunk?.error) {
      throw new CallError(chunk.error.message ?? "The model stopped before its answer was complete.", { status: 502 });
    }
    const text = chunk?.choices?.[0]?.delta?.content;
    if (!text) continue;
    untilFirst ||= formatElapsed(started);
    count += 1;
    answer.append(text);
    answer.parentElement.scrollTop = answer.parentElement.scrollHeight;
  }
  const seconds = (performance.now() - started) / 1000;
  const shown = [
    `first chunk after ${untilFirst || formatElapsed(started)}`,
    `full answer after ${formatElapsed(started)}`,
    `${(count / seconds).toFixed(1)} chunks per second`,
  ];
  output.replaceChildren(element("p", { class: "note" }, shown.map((text) => element("span", {}, text))));
}
