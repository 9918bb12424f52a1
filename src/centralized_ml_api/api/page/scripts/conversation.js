// A conversation as data: turns, each a question and an answer of each model, and other versions of what follows.
//
// A turn's `branches` are the other versions of it and of all that followed, in order; `branch` is its own place among
// them. An answer has `text`, `thoughts`, `tokens`, `seconds`, `first` and `finish`: "stop", "length", "stopped" by the
// participant, or "broken".

const START_TOKENS = 512;
const MOST_TOKENS = 4096;
const CONTINUE = "Continue exactly where you stopped. Repeat nothing.";

/** Returns a conversation without turns, with the settings of the first model's sample. */
function newConversation(models) {
  const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  return { id, owner: ownerName(), updated: Date.now(), title: "", models, settings: startSettings(models[0]), turns: [] };
}

/** Returns the settings that a model's sample has; `temperature` null leaves it to the model. */
function startSettings(name) {
  const sample = findModel(name)?.sample ?? {};
  const messages = Array.isArray(sample.messages) ? sample.messages : [];
  const system = messages.find((message) => message?.role === "system")?.content;
  return {
    system: typeof system === "string" ? system : "",
    temperature: sample.temperature ?? null,
    tokens: Math.max(START_TOKENS, sample.max_tokens ?? 0),
  };
}

/** Returns the longest answer that may be asked of a model, in tokens. */
const mostTokens = (name) => Math.min(MOST_TOKENS, contextLength(name) ?? MOST_TOKENS, findModel(name)?.max_output_tokens ?? MOST_TOKENS);

/** Returns the question of a model's sample. */
function sampleQuestion(model) {
  const messages = Array.isArray(model.sample?.messages) ? model.sample.messages : [];
  const content = messages.findLast((message) => message?.role === "user")?.content;
  const text = Array.isArray(content) ? content.find((part) => part?.type === "text")?.text : content;
  return typeof text === "string" ? text : "What is AWS?";
}

const newTurn = (question, image = null) => ({ question, image, answers: [], branches: [], branch: 0 });

/** Replaces a turn and what follows by a turn that asks again; the old ones become another version. */
function branchTurn(conversation, index, question) {
  const old = conversation.turns.splice(index);
  const { branches, branch, image } = old[0];
  old[0] = { ...old[0], branches: [], branch: 0 };
  const versions = [...branches.slice(0, branch), old, ...branches.slice(branch)];
  const turn = { ...newTurn(question, image), branches: versions, branch: versions.length };
  conversation.turns.push(turn);
  return turn;
}

/** Shows another version of a turn and of what followed it; `step` is 1 or -1. */
function switchBranch(conversation, index, step) {
  const current = conversation.turns.splice(index);
  const { branches, branch } = current[0];
  const versions = [...branches.slice(0, branch), current, ...branches.slice(branch)];
  current[0] = { ...current[0], branches: [], branch: 0 };
  const chosen = branch + step;
  const [first, ...rest] = versions[chosen];
  const others = versions.filter((_version, place) => place !== chosen);
  conversation.turns.push({ ...first, branches: others, branch: chosen }, ...rest);
}

/** Returns the messages up to a turn, as one of the models has seen the conversation. */
function messagesUpTo(conversation, column, last) {
  const { system } = conversation.settings;
  const messages = system.trim() ? [{ role: "system", content: system }] : [];
  for (const turn of conversation.turns.slice(0, last + 1)) {
    messages.push({ role: "user", content: contentOf(turn) });
    const answer = turn.answers[column];
    if (answer?.text) messages.push({ role: "assistant", content: answer.text });
  }
  return messages;
}

function contentOf({ question, image }) {
  if (!image) return question;
  return [{ type: "text", text: question }, { type: "image_url", image_url: { url: image } }];
}

/** Builds the request of a model's next answer. */
function chatRequest(conversation, column, messages) {
  const { temperature, tokens } = conversation.settings;
  const name = conversation.models[column];
  const body = {
    ...sampleOptions(findModel(name)),
    model: name,
    messages,
    ...(temperature === null ? {} : { temperature }),
    max_tokens: Math.min(tokens, mostTokens(name)),
    stream: true,
  };
  return buildRequest("/v1/chat/completions", { body: JSON.stringify(body), accept: "text/event-stream" });
}

/** Returns what a model's sample has beside what the settings say. */
function sampleOptions(model) {
  const { messages, max_tokens, temperature, stream, model: _name, ...options } = model?.sample ?? {};
  return Array.isArray(messages) ? options : {};
}

/** Returns the request in code: the last one, or the one that `question` would make. */
function requestForCode(conversation, question) {
  const turns = conversation.turns;
  const shown = question || !turns.length ? { ...conversation, turns: [...turns, newTurn(question || sampleQuestion(findModel(conversation.models[0])))] } : conversation;
  const messages = messagesUpTo(shown, 0, shown.turns.length - 1);
  return chatRequest(shown, 0, messages.at(-1).role === "assistant" ? messages.slice(0, -1) : messages);
}

/** Returns the request that asks for the rest of an answer. */
function continueRequest(conversation, column, index) {
  const messages = messagesUpTo(conversation, column, index);
  return chatRequest(conversation, column, [...messages, { role: "user", content: CONTINUE }]);
}

/** Appends to `answer` what a response says, piece by piece; `onText` runs after each. */
async function streamAnswer(request, signal, answer, onText) {
  const started = performance.now();
  const body = JSON.stringify({ ...JSON.parse(request.body), stream_options: { include_usage: true } });
  const response = await send({ ...request, body }, signal);
  let [pieces, firstAt, finish, counted] = [0, 0, "", 0];
  const measure = () => {
    const since = firstAt || started;
    answer.tokens = answer.before + (counted || pieces);
    answer.isCounted = counted > 0;
    answer.seconds = (performance.now() - since) / 1000;
  };
  answer.before = answer.tokens ?? 0;
  answer.finish = "broken";
  try {
    for await (const data of readServerSentEvents(response)) {
      if (data === DONE) break;
      const chunk = parseJson(data);
      if (chunk?.error) throw new CallError(chunk.error.message ?? "The model stopped early.", { status: 502 });
      counted = chunk?.usage?.completion_tokens ?? counted;
      answer.total = chunk?.usage?.total_tokens ?? answer.total;
      const choice = chunk?.choices?.[0];
      finish = choice?.finish_reason ?? finish;
      const { content: text = "", reasoning_content: thoughts = "" } = choice?.delta ?? {};
      if (!text && !thoughts) continue;
      pieces += 1;
      if (!firstAt) {
        firstAt = performance.now();
        answer.first ??= (firstAt - started) / 1000;
      }
      answer.text += text ?? "";
      answer.thoughts += thoughts ?? "";
      measure();
      onText();
    }
    answer.finish = finish || "broken";
  } finally {
    if (signal.aborted) answer.finish = "stopped";
    measure();
    answer.rate = answer.seconds > 0.05 ? (answer.tokens - answer.before) / answer.seconds : 0;
  }
}

/** Says how long an answer is and how fast it came. */
function figuresOf({ tokens, isCounted, rate, first }) {
  if (!tokens) return "";
  return [
    `${isCounted ? "" : "about "}${tokens.toLocaleString("en")} token${tokens === 1 ? "" : "s"}`,
    rate ? `${Math.round(rate)} a second` : null,
    first === undefined ? null : `first word after ${first.toFixed(1)} s`,
  ].filter(Boolean).join(" · ");
}

/** Renders a conversation as Markdown, to save. */
function renderConversation({ title, models, turns }) {
  const written = turns.map(({ question, answers }) => [
    `## You\n\n${question}`,
    ...models.map((name, column) => (answers[column] ? `## ${name}\n\n${answers[column].text}` : "")),
  ]);
  return [`# ${title}`, ...written.flat().filter(Boolean)].join("\n\n") + "\n";
}
