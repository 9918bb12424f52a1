// Draws a conversation: questions, answers with their tools, and two models side by side.

const NEAR_END = 48;

const scrollers = () => [...document.querySelectorAll("#view .scroll, #view .two, #view .two section")];

const isAtEnd = (scroller) => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;

function scrollToEnd() {
  for (const scroller of scrollers()) scroller.scrollTop = scroller.scrollHeight;
}

/** Runs `draw` and keeps the end in sight where it was. */
function drawFollowing(draw) {
  const following = scrollers().filter(isAtEnd);
  draw();
  for (const scroller of following) scroller.scrollTop = scroller.scrollHeight;
  showNewest();
}

/** Shows the button to the newest words while they are out of sight. */
function showNewest() {
  const button = byId("newest");
  if (button) button.hidden = scrollers().every(isAtEnd) || !state.conversation?.turns.length;
}

function redraw(conversation) {
  if (state.conversation !== conversation || !byId("transcript")) return;
  const built = buildTranscript(conversation);
  built.addEventListener("scroll", showNewest, true);
  focusBoxAfter(byId("transcript"), () => byId("transcript").replaceChildren(...[built.segments, built].filter(Boolean)));
  showComposer(conversation);
  showNewest();
}

function redrawAnswer(conversation, answer) {
  const view = views.get(answer);
  if (state.conversation !== conversation || !view) return;
  focusBoxAfter(view.article, () => drawFollowing(() => view.article.replaceWith(buildAnswer(conversation, view.index, view.column))));
  showComposer(conversation);
}

function buildTranscript(conversation) {
  if (conversation.models.length > 1) return buildComparison(conversation);
  if (!conversation.turns.length) return element("div", { class: "scroll" }, buildHello(conversation));
  return element("div", { class: "scroll" }, element("div", { class: "column" }, buildTurns(conversation, 0)));
}

function buildTurns(conversation, column) {
  return conversation.turns.flatMap((_turn, index) => [
    buildQuestion(conversation, index, column),
    buildAnswer(conversation, index, column),
  ]);
}

function buildQuestion(conversation, index, column) {
  const turn = conversation.turns[index];
  const isLast = index === conversation.turns.length - 1;
  const article = element("article", { class: `turn mine${isLast ? " last" : ""}` });
  const edit = () => article.replaceChildren(buildEditor(conversation, index));
  const picture = turn.image ? element("img", { src: turn.image, alt: "Your image" }) : null;
  const tools = element(
    "div",
    { class: "tools" },
    versionsOf(conversation, index),
    column === 0 ? iconButton("edit", "Edit", edit) : null,
    copyButton(() => turn.question),
  );
  article.append(
    element("h2", { class: "only-read" }, "You"),
    element("div", { class: "you", dir: "auto" }, picture, turn.question),
    tools,
  );
  return article;
}

/** Builds the buttons between the versions of a turn, where there are several. */
function versionsOf(conversation, index) {
  const { branches, branch } = conversation.turns[index];
  if (!branches.length) return null;
  const move = (step) => () => {
    stopRuns(conversation);
    switchBranch(conversation, index, step);
    keepConversation(conversation);
    redraw(conversation);
  };
  return element(
    "span",
    { class: "versions" },
    iconOnly("left", "Earlier version", move(-1), { disabled: branch === 0 }),
    `${branch + 1} of ${branches.length + 1}`,
    iconOnly("right", "Later version", move(1), { disabled: branch === branches.length }),
  );
}

function buildEditor(conversation, index) {
  const input = element("textarea", { rows: "3", "aria-label": "Edit your question", dir: "auto" });
  const send = () => {
    if (input.value.trim()) askAgain(conversation, index, input.value.trim());
  };
  input.value = conversation.turns[index].question;
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") redraw(conversation);
    if (isSendKey(event)) event.preventDefault(), send();
  });
  setTimeout(() => input.focus());
  return element(
    "form",
    { class: "composer edit", onsubmit: (event) => { event.preventDefault(); send(); } },
    input,
    element(
      "div",
      { class: "row" },
      element("span", { class: "tiny faint grow only-wide" }, "The old answers stay, one click away."),
      element("span", { class: "grow" }),
      element("button", { type: "button", onclick: () => redraw(conversation) }, "Cancel"),
      element("button", { class: "primary" }, "Ask again"),
    ),
  );
}

/** Asks a question of the conversation once more, changed or not; the earlier answers stay as another version. */
function askAgain(conversation, index, question = conversation.turns[index].question) {
  stopRuns(conversation);
  branchTurn(conversation, index, question);
  askTurn(conversation, index);
}

function buildAnswer(conversation, index, column) {
  const answer = conversation.turns[index].answers[column];
  const name = answer?.model ?? conversation.models[column];
  const isBusy = Boolean(answer) && isAnswering(conversation, answer);
  const article = element("article", { class: "turn", "aria-busy": isBusy ? "true" : null });
  const body = views.get(answer)?.body ?? markdownView(); // what is drawn stays drawn
  const trouble = answer && troubles.get(answer);
  const thoughts = answer?.thoughts ? element("p", { dir: "auto" }, answer.thoughts) : null;
  article.append(
    element("h2", { class: "only-read" }, name),
    ...(thoughts ? [element("details", { class: "thoughts", open: isBusy && !answer.text }, element("summary", {}, "Thoughts"), thoughts)] : []),
    ...(trouble && !answer.text ? [] : [body.container]),
    ...(trouble ? [trouble] : []),
  );
  if (answer?.text) (isBusy ? body.update : body.finish)(answer.text);
  if (!isBusy) article.append(...endOf(conversation, index, column, answer, trouble));
  if (answer) views.set(answer, { article, body, index, column, grow: slowed(() => growAnswer(conversation, answer, body, thoughts)) });
  return article;
}

function growAnswer(conversation, answer, body, thoughts) {
  if (state.conversation !== conversation || !isAnswering(conversation, answer)) return;
  if (answer.thoughts && !thoughts) return redrawAnswer(conversation, answer);
  return drawFollowing(() => {
    if (thoughts) thoughts.textContent = answer.thoughts;
    body.update(answer.text);
    speak(conversation, answer, false);
    showFigures(figuresOf(answer));
  });
}

/** Returns a function that runs `draw` soon, and the more seldom the longer it takes. */
function slowed(draw) {
  let [isWaiting, took] = [false, 0];
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      const started = performance.now();
      draw();
      took = performance.now() - started;
    }, Math.min(500, Math.max(30, took * 4)));
  };
}

/** Builds what stands below an answer that is complete, or below none. */
function endOf(conversation, index, column, answer, trouble) {
  const isLast = index === conversation.turns.length - 1;
  const again = () => askAgain(conversation, index);
  if (!answer?.text) {
    if (trouble) return [];
    const ask = element("button", { type: "button", onclick: again }, "Ask again");
    const words = answer?.finish === "stopped" ? "Not sent." : "There is no answer.";
    return [element("div", { class: "cutoff" }, element("span", {}, words), ask)];
  }
  const goOn = () => continueAnswer(conversation, index, column);
  const chosen = conversation.models.length > 1 ? iconButton("check", "Go on with this one", () => goOnWith(conversation, column)) : null;
  const tools = element(
    "div",
    { class: "tools" },
    copyButton(() => answer.text),
    isLast ? iconButton("redo", "Ask again", again) : null,
    chosen,
    element("span", { class: "figures" }, figuresOf(answer)),
  );
  return [isLast ? cutOff(conversation, answer, goOn) : null, tools].filter(Boolean);
}

/** Builds the line that says why an answer is not whole, with a way to the rest. */
function cutOff(conversation, answer, goOn) {
  const mayBeLonger = conversation.settings.tokens < mostTokens(answer.model);
  const reason = {
    length: [`Stopped at ${answer.tokens.toLocaleString("en")} tokens, ${limitOf(answer.model, mayBeLonger)}.`],
    stopped: ["You stopped this answer."],
    broken: ["The answer broke off."],
  }[answer.finish];
  if (!reason) return null;
  const more = answer.finish === "length" && mayBeLonger ? element("button", { type: "button", class: "quiet only-wide", onclick: openSettings }, "Allow more") : null;
  const button = element("button", { type: "button", class: "primary", onclick: goOn }, "Continue");
  return element("div", { class: "cutoff" }, element("span", {}, reason), more, button);
}

/** Says what limits the answers of a model: the participant, the organizer, or the page. */
function limitOf(name, mayBeLonger) {
  if (mayBeLonger) return "the length that you allow";
  return findModel(name)?.max_output_tokens === mostTokens(name) ? "the longest answer of this model" : "the most that this page asks for";
}

function continueAnswer(conversation, index, column) {
  const answer = conversation.turns[index].answers[column];
  troubles.delete(answer);
  runAnswer(conversation, answer, continueRequest(conversation, column, index));
  redrawAnswer(conversation, answer);
}

/** Opens a conversation with one of the two models, with what was said so far. */
function goOnWith(conversation, column) {
  const turns = conversation.turns.map((turn) => ({ ...newTurn(turn.question, turn.image), answers: [turn.answers[column]] }));
  const model = conversation.turns.at(-1).answers[column].model;
  const single = { ...newConversation([model]), title: conversation.title, settings: { ...conversation.settings }, turns };
  state.conversations.unshift(single);
  keepConversation(single);
  goTo(single);
}

function buildComparison(conversation) {
  const sections = conversation.models.map((name, column) =>
    element("section", { id: `side-${column}`, "aria-label": name, tabindex: "0", class: column ? "behind" : "" }, chooser(conversation, column), buildTurns(conversation, column)),
  );
  const two = element("div", { class: "two" }, sections);
  two.segments = buildSegments(conversation.models, sections);
  return two;
}

/** Builds the choice of a column's model. */
function chooser(conversation, column) {
  const select = element(
    "select",
    { "aria-label": column ? "Model on the right" : "Model on the left" },
    chatModels().map(({ name }) => element("option", { value: name, selected: name === conversation.models[column] }, name)),
  );
  select.addEventListener("change", () => {
    conversation.models[column] = select.value;
    keepConversation(conversation);
    redraw(conversation);
    drawBar();
  });
  return element("div", { class: "heading" }, select);
}

/** Builds the two tabs that a narrow screen has instead of two columns. */
function buildSegments(models, sections) {
  const buttons = models.map((name, shown) =>
    element("button", { type: "button", role: "tab", "aria-selected": String(shown === 0), "aria-controls": `side-${shown}`, onclick: () => {
      sections.forEach((section, column) => section.classList.toggle("behind", column !== shown));
      buttons.forEach((button, column) => button.setAttribute("aria-selected", String(column === shown)));
    } }, element("span", {}, name)),
  );
  return element("div", { class: "segments", role: "tablist", "aria-label": "Whose answer" }, buttons);
}
