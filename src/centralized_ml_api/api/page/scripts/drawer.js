// The drawer beside a model: the settings of a conversation, or the request in code.

function openDrawer(name, label, ...children) {
  const drawer = byId("drawer");
  const opener = document.activeElement;
  const again = () => findInBar(opener?.getAttribute("aria-label")) ?? byId("ask") ?? byId("main"); // the bar is drawn anew
  const close = () => {
    showDrawer(false);
    state.drawer = null;
    drawBar();
    (opener?.isConnected ? opener : again()).focus();
  };
  drawer.className = `drawer ${name}`;
  drawer.setAttribute("aria-label", label);
  drawer.replaceChildren(element("header", {}, element("h2", { dir: "auto" }, label), iconOnly("x", `Close ${label.toLowerCase()}`, close)), element("div", {}, children));
  showDrawer(true);
  drawer.onkeydown = (event) => { if (event.key === "Escape") close(); };
  state.drawer = { name, close };
  drawer.querySelector("button").focus();
  drawBar();
}

/** Shows or hides the drawer, beside which a conversation is narrower: whoever reads its end still does. */
function showDrawer(isShown) {
  const show = () => { byId("drawer").hidden = !isShown; };
  if (state.conversation?.turns.length) drawFollowing(show);
  else show();
}

/** Opens a drawer, or closes it if it is this one. */
function toggleDrawer(name, open) {
  if (state.drawer?.name === name) state.drawer.close();
  else open();
}

function closeDrawer() {
  byId("drawer").hidden = true;
  state.drawer = null;
}

function openSettings() {
  const { conversation } = state;
  openDrawer("settings", "Settings", settingsFields(conversation));
}

function settingsFields(conversation) {
  const { settings } = conversation;
  const changed = () => {
    if (conversation.turns.length) keepConversation(conversation);
    showComposer(conversation);
    refreshCode();
  };
  const system = element("textarea", { rows: "6", dir: "auto", oninput: () => { settings.system = system.value; changed(); } });
  system.value = settings.system;
  const restore = element("button", { type: "button", onclick: () => {
    Object.assign(settings, startSettings(conversation.models[0]));
    changed();
    openSettings();
  } }, "Back to the start values");
  const save = iconButton("download", "Save as Markdown", () => download("conversation.md", renderConversation(conversation), "text/markdown"), { disabled: !conversation.turns.length });
  const total = conversation.turns.at(-1)?.answers[0]?.total;
  const context = contextLength(conversation.models[0]);
  const holds = total && context ? `The conversation holds ${total.toLocaleString("en")} of ${context.toLocaleString("en")} tokens. ` : "";
  return [
    element("div", {}, labelled("System prompt", system), element("p", { class: "small faint" }, "Sent before every question of this conversation.")),
    temperatureField(settings, changed),
    lengthField(conversation, changed),
    element("p", { class: "small faint" }, `${holds}Longer conversations take longer with every question.`),
    element("div", { class: "row wrap" }, restore, save),
    ...conversation.models.map((name) => aboutModel(findModel(name))),
  ];
}

function temperatureField(settings, changed) {
  const shown = element("span", {}, settings.temperature?.toFixed(1) ?? "as the model has it");
  const input = element("input", { type: "range", min: "0", max: "1.5", step: "0.1", value: settings.temperature ?? 0.7, oninput: () => {
    settings.temperature = Number(input.value);
    shown.textContent = settings.temperature.toFixed(1);
    changed();
  } });
  return element("div", {}, labelled("Temperature", input, shown), element("div", { class: "scale" }, element("span", {}, "the same each time"), element("span", {}, "inventive")));
}

function lengthField(conversation, changed) {
  const { settings } = conversation;
  const most = mostTokens(conversation.models[0]);
  const least = Math.min(64, most);
  const step = most % 64 ? 1 : 64;
  const chosen = Math.min(settings.tokens, most);
  const words = (tokens) => `about ${Math.round(tokens * 0.75).toLocaleString("en")} words`;
  const shown = element("span", {}, `${chosen.toLocaleString("en")} tokens`);
  const inWords = element("span", {}, words(chosen));
  const input = element("input", { type: "range", min: least, max: most, step, value: chosen, oninput: () => {
    settings.tokens = Number(input.value);
    shown.textContent = `${settings.tokens.toLocaleString("en")} tokens`;
    inWords.textContent = words(settings.tokens);
    changed();
  } });
  return element("div", {}, labelled("Longest answer", input, shown), element("div", { class: "scale" }, element("span", {}, String(least)), inWords, element("span", {}, most.toLocaleString("en"))));
}

const SELECTED = { language: 0, program: "" };
const LARGE_BODY = 4000;
const BODY_FILE = "request.json";

function openCode() {
  openDrawer("code", `Use ${state.model.name} from code`, codeSections(state.request()));
}

/** Updates the code after a change of the request. */
function refreshCode() {
  if (state.drawer?.name === "code") byId("drawer").lastChild.replaceChildren(...codeSections(state.request()));
}

function codeSections(request) {
  const needsKey = state.catalogue.event.needs_key;
  const shown = request.body?.length > LARGE_BODY ? { ...request, bodyFile: BODY_FILE } : request;
  const languages = snippets(shown, needsKey).map(({ name, needs, language, code }) => [name, () => codeBox(needs, code, { language })]);
  const onSelect = (index) => { SELECTED.language = index; };
  const links = [element("a", { href: "openapi.json" }, "OpenAPI document"), " · ", element("a", { href: "models" }, "All models as JSON")];
  return [
    trustLines() ? element("section", {}, element("p", { class: "small faint" }, "Once in each terminal, so that programs trust this API:"), codeBox("shell", trustLines(), { language: "bash" })) : null,
    ...(needsKey ? [element("section", {}, element("p", { class: "small faint" }, "Once in each terminal:"), keyBox())] : []),
    element("section", { "aria-label": "The same request in code" }, tabs("Languages", languages, { selected: SELECTED.language, onSelect })),
    filesOf(shown),
    programSection(state.model, needsKey),
    element("p", { class: "small faint" }, needsKey ? "The same key and the same limits as on this page." : links),
    aboutModel(state.model),
  ].filter(Boolean);
}

const maskedKey = () => `••••••••${key.get().slice(-4)}`;

/** Builds the line that puts the key where the code looks for it; it is copied whole and shown in part. */
function keyBox() {
  const line = (value) => `export ${KEY_VARIABLE}='${value}'`;
  return codeBox("shell, with your key", line(maskedKey()), { language: "bash", copied: () => line(key.get()) });
}

/** Builds the links to the files that the code reads. */
function filesOf({ body, file, bodyFile }) {
  const name = bodyFile ?? (body instanceof File ? file : null);
  if (!name) return file ? element("p", { class: "small faint" }, `The code reads ${file}: put a file of yours there.`) : null;
  const save = iconButton("download", `Download ${name}`, () => download(name, body, "application/json"), { class: "" });
  return element("div", { class: "row wrap" }, element("span", { class: "small faint" }, "The code reads a file:"), save);
}

/** Builds the fold with what is known of a model. */
function aboutModel(model) {
  const licence = model.licence_url
    ? element("a", { href: model.licence_url, rel: "noreferrer", target: "_blank" }, model.licence ?? "Read the licence")
    : model.licence;
  const rows = [
    ["State", statusOf(model).label],
    ["Path", element("code", {}, `POST ${model.path}`)],
    ["Made by", model.made_by],
    ["Licence", licence],
    ["Task", model.task],
    ["Input", model.takes],
    ["Output", model.gives],
    ["Context", contextLength(model.name) ? `${contextLength(model.name).toLocaleString("en")} tokens` : null],
    ["Longest answer", model.max_output_tokens ? `${model.max_output_tokens.toLocaleString("en")} tokens` : null],
    ["Limits", state.catalogue.event.limits],
  ];
  return element("details", { class: "about" }, element("summary", {}, `About ${model.name}`), termList("facts", rows));
}
