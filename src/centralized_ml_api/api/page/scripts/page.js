// The page: what there is, what is chosen, who is calling.

const HEALTH_SECONDS = 15;
const SOON_SECONDS = 3600;
const FILTER_FROM = 8;

const state = { catalogue: null, health: null };

async function load() {
  try {
    state.catalogue = await (await send(request("/models"))).json();
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

/** Shows what changes by itself. The forms stay as they are, with what somebody has typed and what was answered. */
async function refresh() {
  await lookAtHealth();
  if (!state.catalogue) return;
  showModels();
  showTimeLeft();
  const model = chosen();
  if (byId("state") && model) byId("state").textContent = liveState(model).word;
}

function showLoadProblem(error) {
  const notice = element("div", { class: "notice" });
  byId("notice").replaceChildren(notice);
  if (error.status === 401 && !key.get()) {
    notice.append(
      element("p", {}, "This API asks for a key. Enter your team's, and the models appear here."),
      element("p", {}, element("button", { type: "button", class: "primary", onclick: askForKey }, "Enter key")),
    );
  } else {
    showProblem(notice, error, load);
  }
}

/** Which models can answer now; while nobody can say it, every model stays as it is. */
async function lookAtHealth() {
  try {
    const response = await fetch(`${BASE}health`, { cache: "no-store" });
    const said = parsed(await response.text());
    state.health = said?.ready || said?.unready ? said : null;
  } catch {
    state.health = null;
  }
}

function liveState(model) {
  if (!model.served) return { word: "not served here", dot: "absent" };
  const waiting = state.health?.unready?.[model.name];
  if (waiting) return { word: waiting, dot: "waiting" };
  return state.health ? { word: "ready", dot: "ready" } : { word: "served", dot: "" };
}

function showModels() {
  const wanted = byId("filter").querySelector("input").value.trim().toLowerCase();
  byId("filter").hidden = state.catalogue.models.length < FILTER_FROM;
  const items = state.catalogue.models
    .filter((model) => `${model.name} ${model.description} ${model.task ?? ""}`.toLowerCase().includes(wanted))
    .map((model) => {
      const { word, dot } = liveState(model);
      const current = model === chosen() ? { "aria-current": "page" } : {};
      const link = { href: `#${encodeURIComponent(model.name)}`, title: word, ...current };
      const mark = element("span", { class: `dot ${dot}`, role: "img", "aria-label": word });
      return element("li", {}, element("a", link, mark, element("span", { dir: "auto" }, model.name)));
    });
  byId("models").replaceChildren(...items);
}

function chosen() {
  const models = state.catalogue.models;
  const name = decodeURIComponent(location.hash.slice(1));
  return models.find((model) => model.name === name) ?? models.find((model) => model.served) ?? models[0];
}

function showModel() {
  const model = chosen();
  if (!model) {
    byId("model").replaceChildren(element("p", {}, "There is no model here yet."));
    return;
  }
  document.title = `${model.name} · Models`;
  const lead = model.description ? [element("p", { class: "lead", dir: "auto" }, model.description)] : [];
  const parts = [element("h2", { dir: "auto" }, model.name), ...lead, facts(model)];
  byId("model").replaceChildren(
    element("article", { class: "model" }, parts, model.served ? playground(model) : notServed(model)),
  );
  byId("models").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

function notServed(model) {
  return element("p", { class: "notice", dir: "auto" }, model.why_not ?? "This model is not served here.");
}

function facts(model) {
  const licence = model.licence_url
    ? element("a", { href: model.licence_url, rel: "noreferrer", target: "_blank" }, model.licence ?? "its licence")
    : model.licence;
  const rows = [
    ["State", element("span", { id: "state" }, liveState(model).word)],
    ["Path", element("code", {}, `POST ${model.path}`)],
    ["Made by", model.made_by],
    ["Licence", licence],
    ["Task", model.task],
    ["Takes", model.takes],
    ["Gives", model.gives],
    ["Limits", state.catalogue.event.limits],
  ];
  const shown = rows.filter(([, value]) => value);
  return element(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", { dir: "auto" }, value))),
  );
}

/** The forms that fit the model, and below them the request that they would send. */
function playground(model) {
  const code = element("section", { "aria-label": "The same request in code" });
  const changed = (call) => code.replaceChildren(snippetCard(model, call));
  const own = () => ownForm(model, changed);
  const forms = {
    chat: [["Chat", () => chat(model, changed)], ["Request", own]],
    embeddings: [["Compare", () => compareForm(model, changed)], ["Request", own]],
  }[model.openai] ?? [["Try it", own]];
  return element("div", { class: "model" }, tabs("Ways to call it", forms).card, element("h3", {}, "The same in code"), code);
}

function ownForm(model, changed) {
  const { kind, at } = model.form;
  if (kind === "text") return textForm(model, at, changed);
  return kind === "json" ? jsonForm(model, changed) : fileForm(model, kind, changed);
}

let language = 0;

function snippetCard(model, call) {
  const all = snippets(model, call, state.catalogue.event.needs_key);
  const parts = all.map(([name, text], index) => [
    name,
    () => {
      language = index;
      const button = element("button", { type: "button", onclick: () => copy(text, button) }, "Copy");
      const first = state.catalogue.event.needs_key ? `${KEY_VARIABLE} holds your key in the environment.` : "";
      const code = element("pre", { tabindex: "0", dir: "ltr" }, text);
      return element("div", { class: "snippet" }, element("p", { class: "measures" }, first, button), code);
    },
  ]);
  const before = Math.min(language, parts.length - 1);
  const made = tabs("Languages", parts);
  made.choose(before);
  return made.card;
}

function showTimeLeft() {
  const chip = byId("time-left");
  const ends = Date.parse(state.catalogue?.event.ends ?? "");
  const seconds = (ends - Date.now()) / 1000;
  chip.hidden = !Number.isFinite(seconds);
  chip.textContent = seconds > 0 ? `ends in ${duration(seconds)}` : "has ended";
  chip.classList.toggle("soon", seconds < SOON_SECONDS);
}

/** A key is asked for where one is needed; a plain link cannot carry it. */
function showKey() {
  const known = state.catalogue?.event.needs_key;
  byId("key-button").hidden = known === false;
  byId("key-button").textContent = key.get() ? "Change key" : "Enter key";
  byId("documents").hidden = known !== false;
}

function askForKey() {
  byId("key").value = "";
  byId("key-refused").hidden = true;
  byId("key-dialog").returnValue = ""; // Escape leaves the one of last time
  if (!byId("key-dialog").open) byId("key-dialog").showModal();
}

/** Asks again, and says why when it was not the first time. */
function askForOtherKey() {
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
