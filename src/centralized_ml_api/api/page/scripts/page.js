// Shows the list of models, the selected model, and who is calling.

const HEALTH_SECONDS = 15;
const SOON_SECONDS = 3600;
const FILTER_FROM = 8;

const state = { catalogue: null, health: null };

async function load() {
  try {
    state.catalogue = await (await send(buildRequest("/models"))).json();
    byId("notice").replaceChildren();
  } catch (error) {
    state.catalogue = null;
    byId("models").replaceChildren();
    byId("model").replaceChildren();
    showKey();
    showLoadProblem(error);
    return;
  }
  showKey();
  showModels();
  showModel();
  await refresh();
}

/** Updates what changes by itself. Forms keep what the user typed and what the model answered. */
async function refresh() {
  await loadHealth();
  if (!state.catalogue) return;
  showModels();
  showTimeLeft();
  const model = selectedModel();
  if (byId("status") && model) byId("status").textContent = statusOf(model).label;
}

function showLoadProblem(error) {
  const notice = element("div", { class: "notice" });
  byId("notice").replaceChildren(notice);
  if (error.status === 401 && !key.get()) {
    notice.append(
      element("p", {}, "This API requires a key. Enter your team's key to see the models."),
      element("p", {}, element("button", { type: "button", class: "primary", onclick: askForKey }, "Enter key")),
    );
  } else {
    showProblem(notice, error, load);
  }
}

/** Loads which models are ready; null while that is unknown. */
async function loadHealth() {
  try {
    const headers = key.get() ? { "x-api-key": key.get() } : {}; // with teams, only a key shows the names
    const response = await fetch(`${BASE}health`, { headers, cache: "no-store" });
    const health = parseJson(await response.text());
    state.health = health?.ready || health?.unready ? health : null;
  } catch {
    state.health = null;
  }
}

/** Returns the label of a model's status, and the class of its dot. */
function statusOf(model) {
  if (!model.served) return { label: "not served here", dot: "absent" };
  const reason = state.health?.unready?.[model.name];
  if (reason) return { label: reason, dot: "waiting" };
  return state.health ? { label: "ready", dot: "ready" } : { label: "served", dot: "" };
}

function showModels() {
  const search = byId("filter").querySelector("input").value.trim().toLowerCase();
  byId("filter").hidden = state.catalogue.models.length < FILTER_FROM;
  const items = state.catalogue.models
    .filter((model) => `${model.name} ${model.description} ${model.task ?? ""}`.toLowerCase().includes(search))
    .map((model) => {
      const { label, dot } = statusOf(model);
      const current = model === selectedModel() ? { "aria-current": "page" } : {};
      const link = { href: `#${encodeURIComponent(model.name)}`, title: label, ...current };
      const mark = element("span", { class: `dot ${dot}`, role: "img", "aria-label": label });
      return element("li", {}, element("a", link, mark, element("span", { dir: "auto" }, model.name)));
    });
  byId("models").replaceChildren(...items);
}

/** Returns the model in the address, else the first that is served. */
function selectedModel() {
  const models = state.catalogue.models;
  const name = decodeURIComponent(location.hash.slice(1));
  return models.find((model) => model.name === name) ?? models.find((model) => model.served) ?? models[0];
}

function showModel() {
  const model = selectedModel();
  if (!model) {
    byId("model").replaceChildren(element("p", {}, "This API has no models yet."));
    return;
  }
  document.title = `${model.name} · Models`;
  const description = model.description ? [element("p", { class: "lead", dir: "auto" }, model.description)] : [];
  const header = [element("h2", { dir: "auto" }, model.name), ...description, facts(model)];
  byId("model").replaceChildren(
    element("article", { class: "model" }, header, model.served ? playground(model) : notServed(model)),
  );
  byId("models").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

function notServed(model) {
  return element("p", { class: "notice", dir: "auto" }, model.why_not ?? "This model is not served here.");
}

function facts(model) {
  const licence = model.licence_url
    ? element("a", { href: model.licence_url, rel: "noreferrer", target: "_blank" }, model.licence ?? "Read the licence")
    : model.licence;
  const rows = [
    ["Status", element("span", { id: "status" }, statusOf(model).label)],
    ["Path", element("code", {}, `POST ${model.path}`)],
    ["Made by", model.made_by],
    ["Licence", licence],
    ["Task", model.task],
    ["Input", model.takes],
    ["Output", model.gives],
    ["Limits", state.catalogue.event.limits],
  ];
  const shown = rows.filter(([, value]) => value);
  return element(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", { dir: "auto" }, value))),
  );
}

/** Builds the forms that fit the model, and below them the request that they would send. */
function playground(model) {
  const code = element("section", { "aria-label": "The same request in code" });
  const onChange = (request) => code.replaceChildren(snippetCard(request));
  const buildForm = () => requestForm(model, onChange);
  const forms = {
    chat: [["Chat", () => chat(model, onChange)], ["Request", buildForm]],
    embeddings: [["Compare", () => compareForm(model, onChange)], ["Request", buildForm]],
  }[model.openai] ?? [["Try it", buildForm]];
  const heading = element("h3", {}, "The same request in code");
  return element("div", { class: "model" }, tabs("Ways to call this model", forms).card, heading, code);
}

/** Builds the form for the model's own path. */
function requestForm(model, onChange) {
  const { kind, at: pointer } = model.form;
  if (kind === "text") return textForm(model, pointer, onChange);
  return kind === "json" ? jsonForm(model, onChange) : fileForm(model, kind, onChange);
}

let selectedLanguage = 0;

function snippetCard(request) {
  const needsKey = state.catalogue.event.needs_key;
  const languages = snippets(request, needsKey).map(([name, text], index) => [
    name,
    () => {
      selectedLanguage = index;
      const button = element("button", { type: "button", onclick: () => copy(text, button) }, "Copy");
      const note = needsKey ? `Set the environment variable ${KEY_VARIABLE} to your key.` : "";
      const code = element("pre", { tabindex: "0", dir: "ltr" }, text);
      return element("div", { class: "snippet" }, element("p", { class: "note" }, note, button), code);
    },
  ]);
  const selected = Math.min(selectedLanguage, languages.length - 1); // `tabs` selects the first
  const { card, select } = tabs("Languages", languages);
  select(selected);
  return card;
}

function showTimeLeft() {
  const chip = byId("time-left");
  const secondsUntil = (instant) => (Date.parse(instant ?? "") - Date.now()) / 1000;
  const wait = secondsUntil(state.catalogue?.event.starts);
  const seconds = secondsUntil(state.catalogue?.event.ends);
  chip.hidden = !(wait > 0 || Number.isFinite(seconds));
  if (wait > 0) {
    chip.textContent = `Event starts in ${formatDuration(wait)}`;
    chip.classList.remove("soon");
    return;
  }
  chip.textContent = seconds > 0 ? `Event ends in ${formatDuration(seconds)}` : "Event has ended";
  chip.classList.toggle("soon", seconds < SOON_SECONDS);
}

/** Shows the key button, or the links to documents where no key is needed: a link cannot carry one. */
function showKey() {
  const needsKey = state.catalogue?.event.needs_key; // undefined until the catalogue is loaded
  byId("key-button").hidden = needsKey === false;
  byId("key-button").textContent = key.get() ? "Change key" : "Enter key";
  byId("documents").hidden = needsKey !== false;
}

function askForKey() {
  byId("key").value = "";
  byId("key-refused").hidden = true;
  byId("key-dialog").returnValue = ""; // Escape would keep the last one
  if (!byId("key-dialog").open) byId("key-dialog").showModal();
}

/** Asks for a key after a 401; says that the key was refused if there was one. */
function askForKeyAgain() {
  askForKey();
  byId("key-refused").hidden = !key.get();
}

byId("key-button").addEventListener("click", askForKey);
byId("key-cancel").addEventListener("click", () => byId("key-dialog").close());
byId("key-dialog").addEventListener("close", () => {
  if (byId("key-dialog").returnValue !== "save" || !byId("key").value.trim()) return;
  key.set(byId("key").value.trim());
  byId("key").value = "";
  load();
});
byId("filter").addEventListener("input", showModels);
addEventListener("hashchange", () => {
  if (!state.catalogue) return;
  showModels();
  showModel();
  byId("model").focus({ preventScroll: true });
});
setInterval(() => {
  if (!document.hidden && state.catalogue) refresh();
}, HEALTH_SECONDS * 1000);
load();
