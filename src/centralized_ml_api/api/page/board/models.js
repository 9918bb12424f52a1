// Draws the models on the organizer's screen, and what can be done with one of them; idle ones are one row.

const IDLE_MILLISECONDS = 10 * 60 * 1000;
const FEW_IDLE = 3; // fewer take no more room than the row that stands for them
const IDLE = "idle models";

function drawModels() {
  const { models } = board.now;
  const ready = models.filter((model) => model.state === "ready").length;
  byId("models-sum").textContent = `${ready} of ${models.length} ready`;
  const sorted = [...models].sort((one, other) => ORDER[one.state] - ORDER[other.state]);
  const idle = listIdle();
  const busy = sorted.filter((model) => !idle.includes(model));
  const shown = board.open.has(IDLE) ? idle.map(drawModel) : [];
  byId("models-rows").replaceChildren(...busy.map(drawModel), ...(idle.length ? [drawIdle(idle), ...shown] : []));
}

/** Returns the models that are ready and were not called for a while; none where they are few. */
function listIdle() {
  const since = Date.parse(board.now.now) - IDLE_MILLISECONDS;
  const idle = board.now.models.filter((model) => model.state === "ready" && model.paused === null && !model.requests_per_minute
    && !model.under_way && !model.waiting && !(Date.parse(model.last ?? "") > since));
  return idle.length < FEW_IDLE ? [] : idle;
}

/** Builds the row that stands for the idle models, which it unfolds below. */
function drawIdle(idle) {
  const isShown = board.open.has(IDLE);
  const toggle = () => {
    if (!board.open.delete(IDLE)) board.open.add(IDLE);
    draw();
  };
  const names = element("p", { class: "tiny faint cut", dir: "auto" }, isShown ? "ready, not called for ten minutes" : idle.map(({ name }) => name).join(", "));
  return element(
    "li",
    { id: "idle" },
    element("span", { class: "dot ready" }),
    element("div", {}, element("b", { class: "strong" }, `${idle.length} models idle`), names),
    element("button", { type: "button", class: "quiet", onclick: toggle, "aria-expanded": String(isShown), "aria-label": "Idle models" }, isShown ? "Hide" : "Show"),
  );
}

const wordWait = (seconds) => (seconds < 120 ? `${Math.ceil(seconds)} s` : formatDuration(seconds));

/** Says in a line how a model is and how it is called. */
function describeModel(model) {
  const parts = [model.state];
  if (model.paused !== null) parts.push(`paused${model.paused ? `: ${model.paused}` : ""}`);
  if (model.detail) parts.push(model.detail);
  if (model.ready_in !== null && model.state !== "ready") parts.push(`answers in about ${wordWait(model.ready_in)}`);
  if (model.replicas > 1) parts.push(`${model.ready_replicas} of ${model.replicas} replicas`);
  if (model.requests_per_minute) parts.push(`${formatCount(model.requests_per_minute)} a minute`);
  if (model.under_way) parts.push(model.places ? `${model.under_way} of ${model.places} places busy` : `${model.under_way} under way`);
  if (model.waiting) parts.push(`${model.waiting} waiting`);
  if (model.restarts) parts.push(`restarted ${model.restarts} ×`);
  if (model.usd) parts.push(`${formatUsd(model.usd)} USD`);
  return parts.join(" · ");
}

function drawModel(model) {
  const isShown = board.logs.has(model.name);
  const toggle = () => {
    if (!board.logs.delete(model.name)) board.logs.add(model.name);
    draw();
  };
  const isBroken = STATES[model.state] === "failed";
  const button = element("button", { type: "button", class: "quiet", onclick: toggle, "aria-expanded": String(isShown), "aria-label": `Last lines of ${model.name}` }, "Last lines");
  const tone = { failed: "bad", waiting: "wait" }[STATES[model.state]] ?? (model.paused !== null ? "wait" : "faint");
  return element(
    "li",
    {},
    element("span", { class: `dot ${STATES[model.state] ?? "absent"}` }),
    element("div", {}, element("b", { class: "strong", dir: "auto" }, model.name), element("p", { class: `tiny ${tone}` }, describeModel(model))),
    model.paused !== null && can("resume") ? nameButton("Resume", model.name, () => resume({ name: model.name })) : null,
    model.state === "asleep" ? nameButton("Wake", model.name, () => act("wake", { name: model.name })) : null,
    isBroken && model.can_restart ? nameButton("Restart…", model.name, () => askRestart(model.name)) : null,
    can("logs") ? button : null,
    can("pause") ? moreButton("model", model.name) : null,
    board.open.has(`model ${model.name}`) ? drawModelActs(model) : null,
    isShown ? element("pre", { tabindex: "0" }, model.log.join("\n") || "It has said nothing.") : null,
  );
}

/** Builds a button for one of many; a screen reader says for which. */
function nameButton(label, name, onclick) {
  return element("button", { type: "button", onclick, "aria-label": `${label.replace("…", "")} ${name}` }, label);
}

function drawModelActs(model) {
  const { name } = model;
  const sleep = () => actOrUndo(`${name} sleeps once its calls are over.`, ["sleep", { name }], ["wake", { name }]);
  const shown = [
    model.sleeps && model.state === "ready" ? nameButton("Sleep", name, sleep) : null,
    model.paused === null ? nameButton("Pause…", name, () => askPause({ name })) : null,
    model.can_restart && STATES[model.state] !== "failed" ? nameButton("Restart…", name, () => askRestart(name)) : null,
  ].filter(Boolean);
  const none = element("span", { class: "small faint" }, "Nothing else can be done now.");
  return element("div", { class: "acts row wrap" }, shown.length ? shown : none);
}
