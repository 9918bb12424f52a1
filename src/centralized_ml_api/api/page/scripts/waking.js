// Says what an answer waits for before its first word: a model that wakes, or others whose turn is before.

const TICK_MILLISECONDS = 1000;
const PATIENT_SECONDS = 3;

/** Watches an answer that was asked for until it has words; returns what ends that. */
function watchWait(conversation, answer, run) {
  const began = Date.now();
  let [note, hasLooked, isOver] = [null, false, false];
  const isElsewhere = () => isOver || answer.text || answer.thoughts || (troubles.has(answer) && troubles.get(answer) !== note?.note);
  const tick = async () => {
    if (isElsewhere()) return;
    const waited = Math.round((Date.now() - began) / 1000);
    if (waited >= PATIENT_SECONDS && !hasLooked) {
      hasLooked = true;
      await refresh();
      if (isElsewhere()) return;
    }
    const isAsleep = Boolean(state.health?.asleep?.[answer.model]);
    if (isAsleep && !note) {
      note = wakingNote(conversation, answer, run);
      troubles.set(answer, note.note);
      redrawAnswer(conversation, answer);
      say(note.tick(waited));
    }
    if (note) note.tick(waited, isAsleep);
    else if (waited >= PATIENT_SECONDS && state.conversation === conversation) showFigures(`waiting, ${formatDuration(waited)}`);
  };
  const timer = setInterval(tick, TICK_MILLISECONDS);
  tick();
  return () => {
    isOver = true;
    clearInterval(timer);
    if (note && troubles.get(answer) === note.note) troubles.delete(answer);
  };
}

/** Builds the note about a model that wakes; `tick` counts down to when it usually does, and returns what it says. */
function wakingNote(conversation, answer, run) {
  const usual = findModel(answer.model)?.sleep?.wakes_in_seconds ?? null;
  const title = element("h3");
  const bar = usual === null ? null : element("progress", { max: usual, value: 0, "aria-label": "Time waited" });
  const tick = (waited, isAsleep = true) => {
    const left = usual === null ? 0 : usual - waited;
    const more = left > 0 ? `: about ${formatDuration(left)} more` : "";
    title.textContent = isAsleep ? `${answer.model} is waking${more}` : `${answer.model} is awake, and answers soon`;
    if (bar) bar.value = isAsleep ? Math.min(waited, usual) : usual;
    return title.textContent;
  };
  const words = usual === null ? "It sleeps while nobody calls." : `It sleeps while nobody calls. Waking takes about ${formatDuration(usual)}.`;
  const note = element(
    "div",
    { class: "note waits" },
    icon("clock"),
    element("div", {}, title, element("p", { class: "small" }, `${words} Your question is kept, and answered as soon as it is awake.`), bar, element("div", { class: "actions" }, otherModel(conversation, answer), dropButton(run))),
  );
  return { note, tick };
}

const dropButton = (run) => element("button", { type: "button", onclick: () => run.abort() }, "Don't send it");

/** Builds the button that asks a model that is ready instead; null where there is none, or two are compared. */
function otherModel(conversation, answer) {
  const index = conversation.turns.findIndex(({ answers }) => answers.includes(answer));
  const isAble = (model) => model.name !== answer.model && statusOf(model).isReady && (model.sees || !conversation.turns.some(({ image }) => image));
  const other = chatModels().find(isAble);
  if (!other || index < 0 || conversation.models.length > 1) return null;
  return element("button", { type: "button", onclick: () => askInstead(conversation, index, other.name) }, `Ask ${other.name} instead`);
}

/** Asks another model the question of a turn, in a conversation that has what was said before. */
function askInstead(conversation, index, name) {
  stopRuns(conversation);
  const { question, image } = conversation.turns[index];
  const turns = conversation.turns.slice(0, index).map((turn) => ({ ...newTurn(turn.question, turn.image), answers: turn.answers }));
  const other = { ...newConversation([name]), title: conversation.title, settings: { ...conversation.settings }, turns: [...turns, newTurn(question, image)] };
  state.conversations.unshift(other);
  goTo(other);
  askTurn(other, index);
}
