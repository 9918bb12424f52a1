// What the organizer does on the screen: asks the API's process to do it, asks the organizer first or offers to undo it.

const DEEDS = {
  wake: "Woke",
  sleep: "Let sleep",
  restart: "Restarted",
  "restart failed": "Could not restart",
  "new key": "New key for",
  revoke: "Revoked the keys of",
  "revoke former keys": "Revoked the former keys of",
  "open joining": "Opened joining",
  "close joining": "Closed joining",
  "new code": "Made a new code",
  import: "Gave places to a roster",
  extend: "Moved the end",
  "extend not applied": "Could not apply the new end",
  pause: "Paused",
  resume: "Resumed",
  "pause team": "Paused the team",
  "resume team": "Resumed the team",
  grant: "Granted more to",
  "take back": "Took back the grant of",
  message: "Told everybody",
  "no message": "Took the message away",
};

const WHOLE = new Set(["pause", "resume"]);

/** Does an act; returns what there is to tell, or null after saying why it was not done. */
async function act(name, wanted = {}) {
  try {
    const answer = await ask(`acts/${name}`, { method: "POST", body: JSON.stringify(wanted) });
    const told = answer.ok || answer.status === 409 ? await answer.json() : { error: `The API answered ${answer.status}`, fix: "" };
    await refresh();
    if (!told.error) return told;
    tell([told.error, told.fix].filter(Boolean).join(": "));
  } catch {
    tell("The API does not answer. Look whether it was done before you try again.");
  }
  return null;
}

/** Shows a message above whatever is open, with what undoes it. */
function notify(message, label, undo) {
  placeToast();
  toast(message, label, undo);
}

/** Puts messages into the topmost dialog, which covers all that is outside of it. */
function placeToast() {
  const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (byId("toast").parentNode !== top) top.append(byId("toast"));
}

/** Shows a message that nothing undoes. */
const tell = (message) => notify(`${message}${message.endsWith(".") ? "" : "."}`, "OK", () => {});

/** Does an act that another one undoes, and offers that. */
async function actOrUndo(message, [name, wanted], [back, backWanted]) {
  if (await act(name, wanted)) notify(message, "Undo", () => act(back, backWanted));
}

/** Shows a dialog; returns it. Once it is closed it is gone, and what was focused before is focused again. */
function openDialog(look, label, ...content) {
  const nameOf = (button) => button.getAttribute("aria-label") ?? button.textContent;
  const opener = nameOf(document.activeElement);
  const onclose = () => {
    placeToast();
    dialog.remove();
    [...document.querySelectorAll("button")].find((button) => nameOf(button) === opener)?.focus(); // maybe drawn anew
  };
  const dialog = element("dialog", { class: look, "aria-label": label, onclose }, content);
  document.body.append(dialog);
  dialog.showModal();
  placeToast();
  return dialog;
}

/** Asks whether something is meant; `run` does it. */
function askFirst(title, words, label, run, { isBad = false } = {}) {
  const close = () => dialog.close();
  const button = element("button", { type: "button", class: isBad ? "danger" : "primary", onclick: () => { close(); run(); } }, label);
  const cancel = element("button", { type: "button", onclick: close, autofocus: true }, "Cancel");
  const dialog = openDialog("ask", title, element("h2", {}, title), element("p", {}, words), element("div", { class: "row wrap ends" }, cancel, button));
}

/** Asks for words, or for nothing; `run` gets them. Enter does what the button does. */
function askWords(title, words, { label, value = "", hint, kind = "text", step = "any", isBad = false }, run) {
  const limits = kind === "number" ? { min: "0", step } : { maxlength: "280", dir: "auto" };
  const input = element("input", { type: kind, value, autofocus: true, ...limits });
  const done = () => { if (input.reportValidity()) { dialog.close(); run(input.value); } };
  input.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) done(); });
  const button = element("button", { type: "button", class: isBad ? "danger" : "primary", onclick: done }, label);
  const cancel = element("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const dialog = openDialog("ask", title, element("h2", {}, title), element("p", {}, words), labelled(hint, input), element("div", { class: "row wrap ends" }, cancel, button));
}

/** Pauses a model, a team, or everything where neither is named, once the organizer has said what callers are told. */
function askPause(wanted = {}) {
  const name = wanted.name ?? wanted.team;
  const what = name ?? "The API";
  const run = (words) => actOrUndo(`${what} is paused.`, ["pause", { ...wanted, words }], ["resume", wanted]);
  const about = { label: "Pause", hint: "What callers are told (optional)", isBad: true };
  askWords(name ? `Pause ${name}?` : "Pause every model?", "Calls are refused until you resume; those under way are finished.", about, run);
}

/** Resumes a model, a team, or everything where neither is named. */
async function resume(wanted = {}) {
  const told = await act("resume", wanted);
  if (told) notify(`${wanted.name ?? wanted.team ?? "The API"} is no longer paused.`, "Undo", () => act("pause", { ...wanted, words: told.words }));
}

function askMessage() {
  const about = { label: "Show it", value: board.now.message, hint: "Empty: no message" };
  askWords("Message to all", "The page shows it as a banner; programs find it in a header.", about, sayToAll);
}

async function sayToAll(words) {
  const told = await act("message", { words });
  if (told) notify(words.trim() ? "Everybody sees it now." : "There is no message.", "Undo", () => act("message", { words: told.before }));
}

function askExtend() {
  const { event_ends: ends } = board.now;
  const words = ends ? `It ends at ${formatDay(ends)}.` : "It has no end yet; this sets one, counted from now.";
  const button = (label, minutes) => element("button", { type: "button", onclick: () => { dialog.close(); extend(minutes); } }, label);
  const choices = [["+15 min", 15], ["+30 min", 30], ["+1 h", 60], ["+2 h", 120]].map(([label, minutes]) => button(label, minutes));
  const cancel = element("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel");
  const dialog = openDialog("ask", "Extend the end", element("h2", {}, "Extend the end"), element("p", {}, `${words} The config is changed, too.`), element("div", { class: "row wrap" }, choices, cancel));
}

async function extend(minutes) {
  const told = await act("extend", { minutes });
  if (!told) return;
  const stops = board.now.ends === told.ends ? "" : ` It stops earlier, at ${formatDay(board.now.ends)}, as --for says.`;
  const message = `The event ends at ${formatDay(told.ends)}.${stops}`;
  if (told.before) notify(message, "Undo", () => act("extend", { until: told.before }));
  else tell(message);
}

const formatDay = (instant) => new Date(instant).toLocaleString("en", { weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false });

function askRestart(name) {
  const restart = async () => {
    notify(`${name} restarts.`, "OK", () => {});
    if (await act("restart", { name })) tell(`${name} was restarted`);
  };
  askFirst(`Restart ${name}?`, "New servers start beside the old ones, which answer until the new ones are ready.", "Restart", restart);
}

function askNewKey(team) {
  const renew = async () => {
    const told = await act("new-key", { team });
    if (told) showKey(team, told.key);
  };
  askFirst(`New key for ${team}?`, "The old key works for one more hour.", "New key", renew);
}

/** Shows a key, this once. */
function showKey(team, key) {
  const close = element("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Done");
  const code = element("code", { class: "key", tabindex: "0" }, key);
  const words = element("p", {}, "It is shown here once. Whoever has it can call as this team.");
  const dialog = openDialog("ask", `The new key of ${team}`, element("h2", {}, `The new key of ${team}`), words, code, element("div", { class: "row wrap ends" }, copyButton(() => key), close));
}

function askRevoke(team) {
  askFirst(`Revoke the keys of ${team}?`, "Every call of this team is refused from now on. A new key lets it call again.", "Revoke", () => act("revoke", { team }), { isBad: true });
}

function askNewCode() {
  askFirst("Make a new code?", "Who has only the old one, or its QR code, cannot join any more. Teams that have joined stay.", "New code", () => act("new-code"));
}

function closeOrOpenJoining() {
  const isOpen = !board.now.join.closed;
  const [there, back] = isOpen ? ["close-joining", "open-joining"] : ["open-joining", "close-joining"];
  actOrUndo(isOpen ? "Joining is closed." : "Joining is open.", [there], [back]);
}

/** Shows how to join, large enough for a hall, until it is closed. */
function openProjector() {
  openDialog("projector", "How to join", element("div", { class: "hall" }));
  drawProjector();
}

function drawProjector() {
  const dialog = document.querySelector("dialog.projector");
  if (!dialog) return;
  const { join, title, authority } = board.now;
  if (!join) { dialog.close(); return; }
  const hall = dialog.firstElementChild;
  keepFocus(hall, () => hall.replaceChildren(...buildProjector(join, title, authority, dialog)));
}

function buildProjector(join, title, authority, dialog) {
  const address = join.link.split("#")[0].replace(/^https?:\/\//, "");
  const button = (label, onclick) => element("button", { type: "button", onclick }, label);
  const words = join.closed
    ? [element("p", { class: "big" }, `Joining is closed: ${join.closed}.`)]
    : [
      element("p", { class: "big" }, join.qr ? "Point your camera at the square, or open" : "Open"),
      element("p", { class: "address" }, address),
      element("p", { class: "big" }, "and enter"),
      element("p", { class: "code" }, join.code),
    ];
  const share = element("progress", { max: String(join.places || 1), value: String(join.taken), "aria-hidden": "true" });
  return [
    element("div", { class: "how" }, element("h2", { dir: "auto" }, title), words),
    join.qr && !join.closed ? drawQr(join.qr) : element("span"),
    element(
      "footer",
      { class: "row wrap" },
      authority ? buildAuthority(authority) : null,
      share,
      element("p", { class: "grow" }, `${join.taken} of ${join.places} places are taken${join.until ? `; joining ends at ${formatClock(Date.parse(join.until) / 1000)}` : ""}.`),
      join.closed ? null : button("New code", askNewCode),
      button(join.closed ? "Open joining" : "Close joining", closeOrOpenJoining),
      button("Back", () => dialog.close()),
    ),
  ];
}

/** Says whom a browser warns of, and gives a phone the certificate. */
function buildAuthority({ fingerprint, link, qr }) {
  const words = element("p", { class: "grow" }, "Your browser warns at first: the certificate is our own. The fingerprint of its authority is ", element("span", { class: "mono" }, fingerprint), element("br"), "To trust it, install ", element("span", { class: "mono" }, link));
  return element("div", { class: "row trust" }, drawQr(qr, "QR code of the certificate authority"), words);
}

/** Draws a QR code, black on white whatever the theme is. */
function drawQr({ path, size }, label = "QR code for joining") {
  const svg = document.createElementNS(SVG, "svg");
  const dark = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, class: "qr" })) svg.setAttribute(name, value);
  dark.setAttribute("d", path);
  svg.append(dark);
  return svg;
}

function drawJournal() {
  const { journal } = board.now;
  if (!journal.length) return [element("li", { class: "faint" }, "Nothing yet.")];
  return journal.map(({ at, by, act: deed, subject, detail }) => element(
    "li",
    {},
    element("time", { datetime: at }, formatClock(Date.parse(at) / 1000)),
    element(
      "div",
      {},
      element("p", {}, `${DEEDS[deed] ?? deed} `, element("b", { class: "strong", dir: "auto" }, subject || (WHOLE.has(deed) ? "every model" : ""))),
      detail ? element("p", { class: "small faint", dir: "auto" }, detail) : null,
    ),
    by === "screen" ? null : element("span", { class: "tiny faint" }, "by mlapi"),
  ));
}
