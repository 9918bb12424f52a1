// Who is calling: the team, what it may send, what it has used and what is left, the key and the theme.

const PERIODS = { minute: "this minute", day: "today", event: "for the event" };

/** Loads what the caller's team has used and has left; null where the API does not say. */
async function loadUsage(catalogue) {
  if (!catalogue.event.needs_key) return null;
  try {
    return await (await send(buildRequest("/v1/usage"))).json();
  } catch {
    return null;
  }
}

/** Draws who is calling, with what is left of the limit that is nearest, and behind that the rest. */
function drawMe() {
  const needsKey = state.catalogue.event.needs_key;
  const who = state.usage ? `Team ${state.usage.team}` : needsKey ? "Your team" : "Open to everybody";
  const pop = element("div", { class: "pop", id: "limits", role: "dialog", "aria-label": "Key, limits and theme", hidden: true });
  const button = element("button", { type: "button", "aria-expanded": "false", "aria-controls": "limits", onclick: () => showLimits(pop.hidden) },
    icon("key"), element("span", { class: "grow cut strong" }, who), element("span", { class: "small faint", id: "left" }, needsKey ? `key ${shortKey()}` : ""));
  pop.addEventListener("keydown", (event) => { if (event.key === "Escape") showLimits(false); });
  byId("me").replaceChildren(button, pop);
  drawUsage();
}

/** Opens or closes what is behind the caller's name. */
async function showLimits(isShown) {
  const button = byId("me").querySelector("button");
  byId("limits").hidden = !isShown;
  button.setAttribute("aria-expanded", String(isShown));
  if (!isShown) return button.focus();
  fillLimits();
  byId("limits").querySelector("button").focus();
  state.usage = (await loadUsage(state.catalogue)) ?? state.usage;
  return drawUsage();
}

/** Updates what is used and left, wherever it is shown; nearest is the limit of which the least part is left. */
function drawUsage() {
  const lasting = (state.usage?.limits ?? []).filter(({ period }) => period !== "minute");
  const [nearest] = lasting.sort((one, other) => one.left / one.limit - other.left / other.limit);
  if (nearest) byId("left").replaceChildren(`${formatAmount(nearest, nearest.left)} left`);
  if (!byId("limits").hidden) keepFocus(byId("limits"), fillLimits);
}

/** Returns the key's end, by which its owner knows it. */
const shortKey = () => (key.get() ? `…${key.get().slice(-4)}` : "");

const formatAmount = ({ unit }, amount) => (unit === "usd" ? formatDollars(amount) : `${amount.toLocaleString("en")} ${unit}`);

/** Says what is left of a limit, and until when: `9,000 of 10,000 tokens today, until 02:00`. */
function describeLimit(limit) {
  const whole = formatAmount(limit, limit.limit);
  const left = limit.unit === "usd" ? formatDollars(limit.left) : limit.left.toLocaleString("en");
  const until = limit.resets ? `, until ${new Date(limit.resets).toLocaleTimeString([], { timeStyle: "short" })}` : "";
  return `${left} of ${whole} ${PERIODS[limit.period]}${until}${limit.of === "team" ? "" : ", for all teams together"}`;
}

/** Says what the team has used so far; null where that is unknown. */
function describeUsed(usage) {
  if (!usage) return null;
  const tokens = usage.tokens_in + usage.tokens_out;
  const spent = usage.usd ? `, ${formatDollars(usage.usd)}` : "";
  const calls = usage.calls === 1 ? "1 call" : `${usage.calls.toLocaleString("en")} calls`;
  return `${calls}${tokens ? `, ${tokens.toLocaleString("en")} tokens` : ""}${spent}`;
}

function fillLimits() {
  const { event } = state.catalogue;
  const change = iconButton("key", "Change key", () => { showLimits(false); openDoor(); }, { class: "" });
  const forgetKey = element("button", { type: "button", class: "quiet", onclick: () => { key.forget(); location.reload(); } }, "Sign out");
  const theme = iconButton("theme", "Light or dark", switchTheme, { class: "" });
  const heading = element("div", { class: "row" }, element("h3", { class: "grow" }, "Key, limits and theme"), iconOnly("x", "Close", () => showLimits(false)));
  const limits = state.usage?.limits ?? [];
  byId("limits").replaceChildren(heading, termList("", [
    ["You may send", event.limits ?? "What your organizers have set for your team"],
    ["Used so far", describeUsed(state.usage)],
    ["Left", limits.length ? limits.map((limit) => element("div", {}, describeLimit(limit))) : null],
    ["Time", timeLeft()?.text],
    ["Address for programs", element("span", { class: "mono" }, BASE.replace(/\/$/, ""))],
  ]), element("div", { class: "row wrap" }, event.needs_key ? change : null, event.needs_key ? forgetKey : null, theme));
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("mlapi-theme", root.dataset.theme);
}
