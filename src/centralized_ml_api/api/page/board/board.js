// The organizer's screen: asks what is, every few seconds, and draws it. Names, logs and reasons only become text.

const LOOK_MILLISECONDS = 3000;
const AGO_MILLISECONDS = 10000;
const NEAR = 0.9;
const NOISY_ERRORS = 20;
const FIRST_NEEDS = 6;
const STATES = { ready: "ready", asleep: "asleep", waking: "waiting", starting: "waiting", preparing: "waiting", restarting: "waiting", failed: "failed", unready: "failed" };
const ORDER = { failed: 0, unready: 0, restarting: 1, waking: 2, starting: 2, preparing: 2, asleep: 3, ready: 4, "not served": 5 };

/** Tells whether the target can do an act: one machine can do all, and says nothing of it. */
const can = (act) => board.now.acts?.includes(act) ?? true;

const board = { now: null, token: "", allNeeds: false, sort: "usage", find: "", logs: new Set(), open: new Set(), drawn: new Map() };

/** Takes the token out of the address, where it would stay in the history; a reload of this tab still has it. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  board.token = given || sessionStorage.getItem("token") || "";
}

async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${board.token}`, "Content-Type": "application/json" };
  return fetch(path, { ...options, headers, cache: "no-store" });
}

/** Looks again and again, until the token is no longer valid. */
async function look() {
  if (await refresh()) setTimeout(look, LOOK_MILLISECONDS);
}

/** Looks once, and draws; returns whether to look again. */
async function refresh() {
  try {
    const answer = await ask("board.json");
    if (answer.status === 401) return close("This link is of an earlier start of the API. Run mlapi board for the present one.");
    if (!answer.ok) throw new Error(String(answer.status));
    board.now = await answer.json();
    byId("closed").hidden = true;
    byId("main").hidden = byId("jump").hidden = false;
    draw();
  } catch {
    close("The API does not answer: it stopped, or it is busy. This page tries again by itself.");
  }
  return true;
}

/** Says why nothing new is shown; returns false. */
function close(message) {
  const shown = byId("closed");
  if (shown.hidden || shown.textContent !== message) shown.textContent = message;
  shown.hidden = false;
  return false;
}

function draw() {
  drawHead();
  drawNeeds();
  drawMessage();
  const { history, total, pot, spending, teams, models, errors, journal, now } = board.now;
  const { sort, find, open, logs } = board;
  const ago = Math.floor(Date.parse(now) / AGO_MILLISECONDS);
  drawIfNew("charts", [history, total, pot, spending], () => byId("charts").replaceChildren(...drawCharts()));
  drawIfNew("teams", [teams, total, sort, find, [...open], ago], () => keepFocus(byId("teams-rows"), drawTeams));
  drawIfNew("models", [models, listIdle().map(({ name }) => name), [...open], [...logs]], () => keepFocus(byId("models-rows"), drawModels));
  drawIfNew("errors", errors, () => byId("errors-rows").replaceChildren(...drawErrors()));
  drawIfNew("journal", journal, () => byId("journal-rows").replaceChildren(...drawJournal()));
  drawProjector();
}

/** Draws a part only where what it shows is not what it showed: what somebody selects or points at stays. */
function drawIfNew(part, shown, drawPart) {
  const text = JSON.stringify(shown);
  if (board.drawn.get(part) === text) return;
  board.drawn.set(part, text);
  drawPart();
}

function drawHead() {
  const { title, urls, address, ends, starts, now } = board.now;
  const left = (Date.parse(ends) - Date.parse(now)) / 1000;
  const until = starts ? "Not begun, " : ends ? `${formatDuration(left)} left · ` : "";
  document.title = `Organizer · ${title}`;
  byId("title").textContent = title;
  byId("where").textContent = `${until}${[urls[0] ?? address].join("")}`;
  byId("join").hidden = !board.now.join;
  byId("say").hidden = !can("message");
  byId("extend").hidden = !can("extend");
  byId("pause").hidden = board.now.paused !== null || !can("pause");
  byId("resume").hidden = board.now.paused === null;
}

/** Returns what the organizer should look at first: [is bad, title, words], and maybe what to do: [label, run]. */
function listNeeds() {
  const { models, teams, errors, trouble, pot, paused } = board.now;
  const needs = trouble ? [[true, "The gateway", trouble]] : [];
  if (paused !== null) needs.push([false, "Every model is paused", paused || "Callers get 503 until you resume."]);
  for (const model of models) {
    const repair = model.can_restart ? ["Restart…", () => askRestart(model.name)] : [];
    if (ORDER[model.state] <= 1) needs.push([true, `${model.name}: ${model.state}`, model.detail || model.last_restart || "Its last lines say why.", ...repair]);
  }
  for (const limit of pot) {
    if (limit.used / limit.most >= NEAR || limit.minutes_left !== null) needs.push([false, "What all teams share", describeUse(limit)]);
  }
  for (const team of teams) {
    const limit = mostPressing(team.limits);
    const isNear = limit && limit.period === "event" && limit.used / limit.most >= NEAR;
    if (isNear || (limit && limit.minutes_left !== null)) needs.push([false, team.name, describeUse(limit), ...(findRaisable(team) ? ["Grant more…", () => askGrant(team.name)] : [])]);
  }
  for (const error of errors) {
    if (error.count >= NOISY_ERRORS) needs.push([false, `${error.team || "Without a key"}: ${error.count} × ${error.status || "hung up"}`, error.reason]);
  }
  return needs;
}

/** Shows the first of what needs a hand, the charts close below; a button shows all of it. */
function drawNeeds() {
  const needs = listNeeds();
  const more = byId("needs-more");
  const label = board.allNeeds ? "Show fewer" : `and ${needs.length - FIRST_NEEDS} more`;
  const shown = board.allNeeds ? needs : needs.slice(0, FIRST_NEEDS);
  keepFocus(byId("needs"), () => byId("needs").replaceChildren(...shown.map(drawNeed)));
  more.hidden = needs.length <= FIRST_NEEDS;
  more.setAttribute("aria-expanded", String(board.allNeeds));
  if (more.textContent !== label) more.textContent = label;
}

/** Says how much of a limit is used, and when all of it is if its team goes on so, where that is soon. */
const describeUse = (limit) => `${formatLimit(limit)}${limit.minutes_left === null ? "" : `, at this pace ${formatUsedUp(limit)}`}`;

/** Shows what is said to everybody, while something is. */
function drawMessage() {
  const { message, message_at: since } = board.now;
  byId("message").hidden = !message;
  byId("message").querySelector("b").textContent = message;
  byId("message-time").textContent = since ? `since ${formatWhen(Date.parse(since) / 1000)}` : "";
}

function drawNeed([isBad, title, words, label, run]) {
  const button = label ? element("button", { type: "button", onclick: run, "aria-label": `${label.replace("…", "")}: ${title}` }, label) : null;
  return element("li", { class: isBad ? "bad" : null }, icon("alert"), element("p", {}, element("b", {}, title), words), button);
}

function drawCharts() {
  const { history: points, total, pot, spending } = board.now;
  const last = points.at(-1) ?? { requests: 0, errors: 0, ...(board.now.acts ? {} : { tokens: 0, waiting: 0, first_word: null }) };
  const budget = pot.find((limit) => limit.unit === "usd");
  const line = (name, times = 1) => points.map((point) => ({ at: point.at, value: point[name] === null ? null : point[name] * times }));
  const known = (name) => last[name] !== undefined; // AWS counts neither tokens a second nor calls that wait, and times no word
  const plain = (label, name, unit, write) => (known(name) ? [chart(label, write(last[name]), last[name] === null ? "" : unit, line(name), write)] : []);
  return [
    chart("Requests a minute", formatCount(last.requests * 60), "", line("requests", 60), formatCount),
    ...plain("Tokens a second", "tokens", "", formatCount),
    ...plain("Wait for the first word", "first_word", " s", formatWait),
    ...plain("Calls that wait", "waiting", "", formatCount),
    chart("Errors a minute", formatCount(last.errors * 60), "", line("errors", 60), formatCount),
    spendingChart(total.usd, spending, budget),
  ];
}

/** Writes seconds; nobody waits while nothing streams. */
const formatWait = (seconds) => (seconds === null ? "–" : seconds.toFixed(seconds < 10 ? 1 : 0));

function drawErrors() {
  const { errors } = board.now;
  if (!errors.length) return [element("li", { class: "faint" }, "None.")];
  return errors.map(({ team, model, status, reason, count, last }) => {
    const who = [team || "without a key", model].filter(Boolean).join(", ");
    const pill = element("span", { class: "pill" }, `${status || "left"}${count > 1 ? ` × ${count}` : ""}`);
    return element(
      "li",
      {},
      element("time", {}, formatClock(last)),
      element("div", {}, element("p", {}, pill, " ", element("b", { class: "strong", dir: "auto" }, who)), element("p", { class: "small faint" }, reason)),
    );
  });
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
}

takeToken();
byId("acts").append(
  iconButton("join", "Join code", openProjector, { id: "join", class: "", hidden: true }),
  iconButton("message", "Message to all", askMessage, { id: "say", class: "" }),
  iconButton("clock", "Extend the end", askExtend, { id: "extend", class: "" }),
  iconButton("pause", "Pause all", () => askPause(), { id: "pause", class: "bad" }),
  iconButton("play", "Resume all", () => resume(), { id: "resume", class: "primary", hidden: true }),
  iconOnly("theme", "Light or dark", switchTheme),
);
byId("needs-more").addEventListener("click", () => {
  board.allNeeds = !board.allNeeds;
  drawNeeds();
});
byId("teams-find").querySelector("input").addEventListener("input", (event) => {
  board.find = event.target.value;
  if (board.now) draw();
});
look();
