// The side: the event, the models by what they are for, and the conversations of this browser.

const SOON_SECONDS = 3600;
const DAY_SECONDS = 20 * SOON_SECONDS;
const FILTER_FROM = 13;

function drawSide() {
  drawEvent();
  drawModels();
  drawTalks();
}

function drawEvent() {
  const close = iconOnly("x", "Close the menu", () => showMenu(false), { class: "quiet icon only-narrow" });
  const left = timeLeft();
  byId("event-head").replaceChildren(
    ...[logo()].filter(Boolean),
    element("div", { class: "grow" }, element("b", { dir: "auto" }, eventTitle()), left ? element("span", { id: "time-left", class: `small faint${left.isSoon ? " soon" : ""}` }, left.text) : null),
    close,
  );
}

/** Says when the event starts or how long it lasts, in words; null where it has neither. */
function timeLeft() {
  const secondsUntil = (instant) => (Date.parse(instant ?? "") - Date.now()) / 1000;
  const wait = secondsUntil(state.catalogue?.event.starts);
  if (wait > 0) {
    const text = `Event starts in ${formatDuration(wait)}`;
    return { short: text, text, isSoon: false };
  }
  const seconds = secondsUntil(state.ends);
  if (!Number.isFinite(seconds)) return null;
  const style = seconds < DAY_SECONDS ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  const short = seconds > 0 ? `${formatDuration(seconds)} left` : "The event has ended";
  const text = seconds > 0 ? `${short}, until ${new Date(state.ends).toLocaleString([], style)}` : short;
  return { short, text, isSoon: seconds < SOON_SECONDS };
}

const hasEnded = () => Date.parse(state.ends ?? "") <= Date.now();

function drawModels() {
  const search = byId("filter").querySelector("input").value.trim().toLowerCase();
  const { models } = state.catalogue;
  byId("filter").hidden = models.length < FILTER_FROM;
  const found = models.filter((model) => `${model.name} ${model.description} ${model.task ?? ""}`.toLowerCase().includes(search));
  const groups = KIND_ORDER.map((kind) => [kind, found.filter((model) => kindOf(model) === kind)]);
  byId("models").replaceChildren(...groups.filter(([, listed]) => listed.length).flatMap(([kind, listed]) => [
    element("dt", {}, kind),
    element("dd", {}, element("ul", {}, listed.map((model) => element("li", {}, modelLink(model))))),
  ]));
}

function modelLink(model) {
  const { label, short = label, dot, isReady } = statusOf(model);
  const shown = state.conversation ? state.conversation.models.includes(model.name) : state.model === model;
  const link = { href: `#${encodeURIComponent(model.name)}`, title: model.name, "aria-current": shown ? "page" : null, "data-model": model.name };
  const status = isReady ? element("span", { class: "only-read" }, label) : element("span", { class: `state${model.served ? " wait" : ""}`, title: label }, model.served ? short.replace(/^is /, "") : "not here");
  return element("a", link, element("span", { class: `dot ${dot}` }), element("span", { class: "cut", dir: "auto" }, model.name), status);
}

function drawTalks() {
  const model = state.conversation?.models[0] ?? chatModels()[0]?.name;
  byId("talks").hidden = !model;
  if (!model) return;
  const fresh = iconOnly("plus", "New conversation", () => openFresh(model));
  const items = state.conversations.map((conversation) => {
    const isShown = conversation === state.conversation;
    const isPair = conversation.models.length > 1;
    const link = { href: addressOf(conversation), title: conversation.title, "aria-current": isShown ? "page" : null };
    const remove = iconOnly("x", `Delete “${conversation.title}”`, () => forget(conversation));
    return element("li", {}, element("a", link, element("span", { class: "cut grow", dir: "auto" }, conversation.title), isPair ? icon("columns") : null), remove);
  });
  const heading = element("div", { class: "heading" }, element("span", {}, items.length ? "Chats, kept in this browser" : "New chat"), fresh);
  byId("talks").replaceChildren(heading, element("ul", {}, items));
}

const addressOf = ({ models, id }) => `#${encodeURIComponent(models[0])}/${id}`;

/** Deletes a conversation, for good once the offer to undo is gone. */
function forget(conversation) {
  const place = state.conversations.indexOf(conversation);
  stopRuns(conversation);
  state.conversations.splice(place, 1);
  removeConversation(conversation.id);
  if (state.conversation === conversation) openFresh(conversation.models[0]);
  else drawTalks();
  toast("The conversation is deleted.", "Undo", () => {
    state.conversations.splice(place, 0, conversation);
    saveConversation(conversation);
    drawTalks();
  });
}

/** Opens or closes the side on a narrow screen; what is behind cannot be reached meanwhile. */
function showMenu(isOpen) {
  document.body.classList.toggle("menu-open", isOpen);
  byId("main").inert = isOpen;
  if (isOpen) byId("event-head").querySelector("button").focus();
}
