// What stands where nothing was asked yet: the event's welcome, what one may do, and ways to begin.

function buildHello(conversation) {
  const model = findModel(conversation.models[0]);
  const { welcome } = state.catalogue.event;
  const left = timeLeft();
  const title = state.event.title ? `Welcome to ${state.event.title}` : `Ask ${model.name}`;
  const description = model.description ? element("p", { class: "lead", dir: "auto" }, model.description) : null;
  const rows = [
    ["Time", left ? element("span", { class: left.isSoon ? "soon" : "" }, left.text) : null],
    ["You may send", state.catalogue.event.limits],
    ["Address for programs", element("span", { class: "mono" }, BASE.replace(/\/$/, ""))],
  ];
  return element(
    "div",
    { class: "hello" },
    element("h2", { class: "only-read" }, "Begin"),
    element("p", { class: "display", dir: "auto" }, title),
    welcome ? element("div", { class: "lead" }, renderMarkdown(welcome)) : description,
    termList("facts", rows),
    element("div", { class: "starts" }, starts(conversation, model)),
    aboutModel(model),
  );
}

/** Builds up to four ways to begin; each needs a model that can do it. */
function starts(conversation, model) {
  const question = sampleQuestion(model);
  const fill = () => {
    byId("ask").value = question;
    drafts.set(conversation.id, question);
    fit(byId("ask"));
    byId("ask").focus();
  };
  const kinds = Object.fromEntries(state.catalogue.models.filter(({ served }) => served).toReversed().map((one) => [kindOf(one), one]));
  const go = ({ name }) => () => { location.hash = `#${encodeURIComponent(name)}`; };
  const sees = kinds.Sees && kinds.Sees !== model ? kinds.Sees : null;
  return [
    start("edit", "Try a question", question, fill),
    sees ? start("image", "Ask about a picture", `with ${sees.name}`, go(sees)) : null,
    kinds.Hears ? start("mic", "Write down a recording", `with ${kinds.Hears.name}`, go(kinds.Hears)) : null,
    kinds.Draws && !sees ? start("image", "Draw a picture", `with ${kinds.Draws.name}`, go(kinds.Draws)) : null,
    start("code", "Use it from code", "curl, Python, OpenAI, coding agents", openCode),
  ].filter(Boolean);
}

function start(name, title, words, onclick) {
  return element("button", { type: "button", onclick }, icon(name), element("span", {}, title, element("span", { dir: "auto" }, words)));
}
