// Asks models for answers, waits where a limit or a start asks for that, and lets all of it be stopped.

const LONGEST_WAIT = 120;
const WAITING_STATUSES = [429, 503];
const KEEP_MILLISECONDS = 1000;

/** What is under way, by the conversation's id; and of an answer: what it waits for, and its view. */
const runs = new Map();
const troubles = new WeakMap();
const views = new WeakMap();

const isRunning = (conversation) => (runs.get(conversation.id)?.size ?? 0) > 0;

const isAnswering = (conversation, answer) =>
  [...(runs.get(conversation.id) ?? [])].some((run) => run.answer === answer);

function stopRuns(conversation) {
  for (const run of runs.get(conversation.id) ?? []) run.abort();
}

/** Asks every model of the conversation its question of a turn. */
async function askTurn(conversation, index) {
  const turn = conversation.turns[index];
  turn.answers = conversation.models.map((model) => ({ model, text: "", thoughts: "" }));
  const requests = conversation.models.map((_model, column) =>
    chatRequest(conversation, column, messagesUpTo(conversation, column, index)),
  );
  const asked = turn.answers.map((answer, column) => runAnswer(conversation, answer, requests[column]));
  redraw(conversation);
  scrollToEnd();
  await Promise.all(asked);
}

/** Asks for an answer until there is one, it is stopped, or asking again would not help. */
async function runAnswer(conversation, answer, request) {
  const run = Object.assign(new AbortController(), { answer });
  runs.set(conversation.id, (runs.get(conversation.id) ?? new Set()).add(run));
  keepConversation(conversation);
  say(`Asking ${answer.model}.`);
  beginToSpeak(answer);
  const endWait = watchWait(conversation, answer, run);
  // A page that is closed or loaded anew loses no more than what came since then.
  const keeping = setInterval(() => { if (answer.text) keepConversation(conversation); }, KEEP_MILLISECONDS);
  const onText = () => {
    if (troubles.delete(answer)) redrawAnswer(conversation, answer);
    views.get(answer)?.grow();
  };
  let asks = true;
  while (asks) {
    asks = false;
    try {
      await streamAnswer(request, run.signal, answer, onText);
    } catch (error) {
      if (!run.signal.aborted) asks = await meetTrouble(conversation, answer, error, run, request);
    }
  }
  endWait();
  clearInterval(keeping);
  if (run.signal.aborted) answer.finish = "stopped";
  runs.get(conversation.id).delete(run);
  keepConversation(conversation);
  redrawAnswer(conversation, answer);
  speak(conversation, answer, true);
  say(answer.text ? `${answer.model} has answered.` : "");
}

/** Shows what went wrong; returns whether to ask again. */
async function meetTrouble(conversation, answer, error, run, request) {
  const known = error instanceof CallError ? error : new CallError("The connection broke off.");
  const wait = secondsToWait(known.retryAfter);
  const again = () => {
    troubles.delete(answer);
    runAnswer(conversation, answer, request);
    redrawAnswer(conversation, answer);
  };
  if (answer.text) {
    troubles.set(answer, problemNote(known, null));
    return false;
  }
  if (!WAITING_STATUSES.includes(known.status) || !known.mayRetry || !wait || wait > LONGEST_WAIT) {
    troubles.set(answer, problemNote(known, again));
    return false;
  }
  const other = known.status === 503 ? otherModel(conversation, answer) : null;
  const { note, ended } = waitingNote(known, wait, answer.model, run, other);
  troubles.set(answer, note);
  redrawAnswer(conversation, answer);
  if (await ended) return true;
  troubles.delete(answer);
  return false;
}

/** Builds a note that counts down; `ended` becomes true when it is time to ask again, false when it is given up. */
function waitingNote(error, seconds, model, run, other) {
  const title = element("h3");
  const bar = element("progress", { max: seconds, value: 0, "aria-label": "Time waited" });
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    bar.value = seconds - left;
    title.textContent = error.status === 429
      ? `Your next turn is in ${formatDuration(left)}`
      : `${model} is not ready yet: asked again in ${formatDuration(left)}`;
    if (!left) finish(true);
  };
  let finish;
  const ended = new Promise((done) => { finish = done; });
  const timer = setInterval(tick, 500);
  run.signal.addEventListener("abort", () => finish(false));
  ended.then(() => clearInterval(timer));
  const note = element(
    "div",
    { class: "note waits" },
    icon("clock"),
    element("div", {}, title, element("p", { class: "small" }, `${error.message} Your question is kept, and sent by itself then.`), bar, element("div", { class: "actions" }, other, dropButton(run))),
  );
  tick();
  say(title.textContent);
  return { note, ended };
}
