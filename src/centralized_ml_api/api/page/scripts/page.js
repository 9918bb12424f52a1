// Loads what exists, shows the model or conversation that the address names, and keeps what changes up to date.

const HEALTH_SECONDS = 15;

/**
 * `event` is in the document; `catalogue`, `health`, `usage` and `ends` come from the API. `model` is shown and, if it chats,
 * `conversation`; `request()` returns the request that the code shows.
 */
const state = {
  event: EVENT,
  catalogue: null,
  health: null,
  usage: null,
  ends: null,
  conversations: [],
  conversation: null,
  model: null,
  request: null,
  drawer: null,
};

async function load() {
  let catalogue;
  try {
    catalogue = await (await send(buildRequest("/models"))).json();
  } catch (error) {
    state.catalogue = null;
    state.ends = error.ends || null;
    if (error.status === 401) openDoor(key.get() ? "No team has this key. It may have been replaced: ask for the new one." : "");
    else showUnloaded(error);
    return;
  }
  const [conversations, usage] = await Promise.all([loadConversations(), loadUsage(catalogue)]);
  // All at once: a view that opens before would be drawn again, and lose what somebody wrote in it meanwhile.
  Object.assign(state, { catalogue, conversations, usage, ends: catalogue.event.ends });
  closeDoor();
  drawMe();
  route();
  await refresh();
}

function showUnloaded(error) {
  byId("app").hidden = false;
  byId("side").hidden = true;
  byId("bar").replaceChildren(element("h1", {}, eventTitle()));
  byId("view").replaceChildren(element("div", { class: "column" }, problemNote(error, () => location.reload())));
}

/** Updates what changes by itself. Nothing that a participant wrote or asked is touched. */
async function refresh() {
  await loadHealth();
  if (!state.catalogue) return;
  if (state.usage) state.usage = (await loadUsage(state.catalogue)) ?? state.usage;
  drawUsage();
  keepFocus(byId("side"), () => {
    drawEvent();
    drawModels();
  });
  keepFocus(byId("bar"), drawBar);
}

/** Loads which models are ready; null while that is unknown. */
async function loadHealth() {
  try {
    const headers = key.get() ? { "x-api-key": key.get() } : {}; // with teams, only a key shows the names
    const response = await fetch(`${BASE}health`, { headers, cache: "no-store" });
    const health = parseJson(await response.text());
    showMessage(response.headers.get("x-event-message") ?? "", response.headers.get("x-event-message-time") ?? "");
    state.health = health?.ready || health?.unready ? health : null;
  } catch {
    state.health = null;
  }
}

/**
 * Shows what the organizers tell everybody, which comes encoded as in a URL, until they or its reader take it away.
 * The same words said once more are news.
 */
function showMessage(encoded, since) {
  const banner = byId("banner");
  const words = decodePart(encoded);
  const said = `${since} ${words}`;
  const hide = () => {
    sessionStorage.setItem("mlapi-read", said);
    banner.hidden = true;
    (byId("ask") ?? byId("main")).focus();
  };
  if (banner.dataset.said !== said) {
    const time = since ? element("time", { class: "small faint", datetime: since }, `at ${formatInstant(since)}`) : null;
    banner.dataset.said = said;
    banner.replaceChildren(...[time, element("p", { class: "grow", dir: "auto" }, words), iconOnly("x", "Hide this message", hide)].filter(Boolean));
  }
  banner.hidden = !words || sessionStorage.getItem("mlapi-read") === said;
}

/** Shows what the address names: `#model`, or `#model/conversation`; else the first model, chats before others. */
function route() {
  const [name, id] = location.hash.slice(1).split("/").map(decodePart);
  const { models } = state.catalogue;
  const kept = state.conversations.find((conversation) => conversation.id === id);
  showMenu(false);
  if (kept && kept.models.every((listed) => findModel(listed)?.served)) return openConversation(kept);
  const model = findModel(name) ?? chatModels()[0] ?? models.find(({ served }) => served) ?? models[0];
  if (!model) return showEmpty();
  return isChat(model) ? openConversation(newConversation([model.name])) : openTask(model);
}

function showEmpty() {
  byId("bar").replaceChildren(element("h1", {}, eventTitle()));
  byId("view").replaceChildren(element("p", { class: "column faint" }, "This API has no models yet."));
  drawSide();
}

function goTo(conversation) {
  history.pushState(null, "", addressOf(conversation));
  openConversation(conversation);
}

/** Opens a conversation without turns. */
function openFresh(model) {
  history.pushState(null, "", `#${encodeURIComponent(model)}`);
  openConversation(newConversation([model]));
  showMenu(false);
  byId("ask").focus();
}

function openConversation(conversation) {
  closeDrawer();
  Object.assign(state, { conversation, model: findModel(conversation.models[0]) });
  state.request = () => requestForCode(conversation, byId("ask")?.value.trim());
  const transcript = element("div", { id: "transcript", class: "transcript" });
  byId("view").replaceChildren(transcript, buildComposer(conversation));
  redraw(conversation);
  if (conversation.turns.length) scrollToEnd();
  showNewest();
  drawBar();
  drawSide();
  focusBox();
}

/** Takes over what another tab of this browser has kept meanwhile, but for conversations in which an answer is under way. */
async function takeOver() {
  if (!state.catalogue) return;
  const known = new Map(state.conversations.map((conversation) => [conversation.id, conversation]));
  const news = (await loadConversations()).filter(({ id, updated }) => !(known.get(id)?.updated >= updated));
  for (const conversation of news) {
    const own = known.get(conversation.id);
    if (!own) state.conversations.push(conversation);
    else if (!isRunning(own)) Object.assign(own, conversation);
  }
  if (!news.length) return;
  state.conversations.sort((left, right) => right.updated - left.updated);
  keepFocus(byId("talks"), drawTalks);
  if (news.some(({ id }) => id === state.conversation?.id) && !isRunning(state.conversation)) redraw(state.conversation);
}

/** Remembers a conversation once something was asked in it. */
function keepConversation(conversation) {
  conversation.updated = Date.now();
  if (state.conversations.includes(conversation)) saveConversation(conversation);
}

function openTask(model) {
  closeDrawer();
  Object.assign(state, { conversation: null, model });
  byId("view").replaceChildren(element("div", { class: "scroll" }, buildTask(model)));
  drawBar();
  drawSide();
}

/** Opens a conversation with two models, or leaves it. */
function toggleCompare() {
  const { conversation } = state;
  const [first] = conversation.models;
  if (conversation.models.length > 1) return openFresh(first);
  const other = chatModels().find(({ name }) => name !== first).name;
  const both = newConversation([first, other]);
  both.settings = { ...conversation.settings };
  drafts.set(both.id, byId("ask").value);
  return openConversation(both);
}

function drawBar() {
  const { conversation, model, drawer } = state;
  if (!model) return;
  const isComparison = conversation?.models.length > 1;
  const { label, isReady } = statusOf(model);
  const about = conversation ? model.description : kindOf(model).replace("Other", "");
  const words = isComparison ? "one question, two models" : isReady ? about : label;
  const left = timeLeft();
  document.title = `${isComparison ? "Compare" : model.name} · ${eventTitle()}`;
  const pressed = (name) => ({ "aria-pressed": String(drawer?.name === name) });
  const buttons = [
    conversation && chatModels().length > 1 ? iconButton("columns", "Compare", toggleCompare, { "aria-label": "Compare two models", "aria-pressed": String(isComparison) }) : null,
    conversation ? iconButton("sliders", "Settings", () => toggleDrawer("settings", openSettings), { "aria-label": "Settings", ...pressed("settings") }) : null,
    model.served ? iconButton("code", "Use from code", () => toggleDrawer("code", openCode), { "aria-label": "Use it from code", ...pressed("code") }) : null,
  ];
  byId("bar").replaceChildren(
    iconOnly("menu", "Menu: models, conversations, limits", () => showMenu(true), { class: "quiet icon only-narrow" }),
    element(
      "div",
      { class: "title" },
      element("h1", { class: "cut", dir: "auto", title: model.name }, isComparison ? "Compare" : model.name),
      element("p", { id: "status", class: `small cut ${isReady ? "faint only-wide" : "wait"}`, dir: "auto" }, words),
      isReady && left ? element("p", { class: `small cut only-narrow ${left.isSoon ? "wait" : "faint"}` }, left.short) : null,
    ),
    ...buttons.filter(Boolean),
  );
}

const findInBar = (label) =>
  [...byId("bar").querySelectorAll("button")].find((button) => label && button.getAttribute("aria-label") === label);

byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  (byId("ask") ?? byId("main")).focus();
});
byId("filter").addEventListener("input", drawModels);
byId("app").addEventListener("click", (event) => { if (event.target === byId("app")) showMenu(false); });
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("menu-open")) showMenu(false);
});
addEventListener("focus", takeOver);
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#key=")) takeKeyFromAddress(), load();
  else if (state.catalogue) route();
});
// Where the keyboard of a phone covers the page instead of shrinking it, as on iOS, the page shrinks itself.
visualViewport.addEventListener("resize", () => {
  const { scale, height } = visualViewport;
  if (scale === 1) document.documentElement.style.setProperty("--height", `${height}px`);
});
setInterval(() => {
  if (!document.hidden && state.catalogue) refresh();
}, HEALTH_SECONDS * 1000);
document.documentElement.dataset.theme = localStorage.getItem("mlapi-theme") ?? "";
takeKeyFromAddress();
load();
