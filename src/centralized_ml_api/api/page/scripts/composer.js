// The box for the question: always in sight, below what scrolls.

const IMAGE_SIDE = 1024;
const IMAGE_QUALITY = 0.85;

/** Questions that were not sent yet, and images with them, by the conversation's id. */
const drafts = new Map();
const attachments = new Map();

/** Returns whether the key press sends: Enter, but on a touch screen that is a new line. */
function isSendKey(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && !matchMedia("(pointer: coarse)").matches;
}

function buildComposer(conversation) {
  const input = element("textarea", { id: "ask", rows: "1", "aria-label": "Your question", dir: "auto" });
  input.value = drafts.get(conversation.id) ?? "";
  input.addEventListener("input", () => {
    drafts.set(conversation.id, input.value);
    fit(input);
    refreshCode();
  });
  input.addEventListener("keydown", (event) => {
    if (!isSendKey(event)) return;
    event.preventDefault();
    sendDraft(conversation);
  });
  input.addEventListener("paste", (event) => attachFirst(conversation, event.clipboardData.files));
  const onsubmit = (event) => {
    event.preventDefault();
    sendDraft(conversation);
  };
  const form = element(
    "form",
    { class: "composer", "aria-label": "Ask", onsubmit },
    element("div", { id: "attached", class: "attached", hidden: true }),
    input,
    element(
      "div",
      { class: "row" },
      attachButton(conversation),
      element("button", { type: "button", class: "quiet", id: "system", onclick: openSettings }, icon("sliders"), element("span", { class: "only-wide" })),
      element("span", { class: "grow" }),
      element("span", { id: "figures", class: "tiny faint hint" }),
      element("span", { class: "tiny faint hint keys only-wide" }, "Enter sends, Shift + Enter is a new line"),
      element("button", { type: "button", id: "stop", onclick: () => stopRuns(conversation) }, icon("stop"), "Stop"),
      element("button", { class: "primary", id: "send" }, icon("send"), "Send"),
    ),
  );
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    attachFirst(conversation, event.dataTransfer.files);
  });
  const newest = element("button", { type: "button", id: "newest", class: "newest", hidden: true, onclick: scrollToEnd }, icon("down"), "Newest");
  return element("div", { class: "foot" }, newest, form, element("p", { class: "warning tiny faint" }, "Answers can be wrong. Check what matters."));
}

/** Lets whoever has a keyboard go on writing; on a touch screen, that would open one. */
function focusBox() {
  if (!matchMedia("(pointer: coarse)").matches) byId("ask")?.focus({ preventScroll: true });
}

/** Runs `draw`; where that took away what had the focus in a container, the box has it. */
function focusBoxAfter(container, draw) {
  const hadFocus = container.contains(document.activeElement);
  draw();
  if (hadFocus && (document.activeElement === document.body || document.activeElement.hidden)) focusBox();
}

/** Updates what depends on whether an answer is under way, on the settings and on the attached image. */
function showComposer(conversation) {
  if (byId("ask")) focusBoxAfter(document.querySelector(".composer:not(.edit)"), () => fillComposer(conversation));
}

function fillComposer(conversation) {
  const busy = isRunning(conversation);
  const names = conversation.models;
  byId("ask").placeholder = names.length > 1 ? "Ask both" : `Ask ${names[0]}`;
  byId("send").hidden = busy;
  byId("stop").hidden = !busy;
  document.querySelector(".foot .keys").hidden = busy || names.length > 1;
  showFigures(busy ? byId("figures").textContent : names.length > 1 ? "Costs two requests" : "");
  const { system } = conversation.settings;
  byId("system").setAttribute("aria-label", system.trim() ? "Settings: system prompt on" : "Settings");
  byId("system").lastChild.textContent = system.trim() ? "System prompt on" : "";
  byId("system").hidden = !system.trim();
  showAttached(conversation);
  fit(byId("ask"));
}

function showFigures(text) {
  if (byId("figures")) byId("figures").textContent = text;
}

/** Lets the box grow with its text where the browser does not do that by itself. */
function fit(input) {
  if (CSS.supports("field-sizing", "content")) return;
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

/** Sends what is in the box, which is empty from then on. */
function sendDraft(conversation) {
  const question = byId("ask").value.trim();
  if (!question || isRunning(conversation)) return;
  conversation.turns.push(newTurn(question, attachments.get(conversation.id) ?? null));
  conversation.title ||= question.replace(/\s+/g, " ").slice(0, 80);
  for (const unsent of [drafts, attachments]) unsent.delete(conversation.id);
  byId("ask").value = "";
  if (!state.conversations.includes(conversation)) state.conversations.unshift(conversation);
  history.replaceState(null, "", addressOf(conversation));
  askTurn(conversation, conversation.turns.length - 1);
  drawSide();
  refreshCode();
}

const canAttach = (conversation) => conversation.models.every((name) => findModel(name)?.sees);

function attachButton(conversation) {
  if (!canAttach(conversation)) return null;
  const input = element("input", { type: "file", accept: "image/*", hidden: true, onchange: () => attachFirst(conversation, input.files) });
  return element("span", {}, iconOnly("image", "Attach an image", () => input.click()), input);
}

/** Attaches the first image of some files, made small enough to send. */
async function attachFirst(conversation, files) {
  const file = [...files].find(({ type }) => type.startsWith("image/"));
  if (!file || !canAttach(conversation)) return;
  try {
    attachments.set(conversation.id, await shrinkImage(file));
  } catch {
    say("This image cannot be read.");
  }
  showAttached(conversation);
}

async function shrinkImage(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, IMAGE_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = element("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", IMAGE_QUALITY);
}

function showAttached(conversation) {
  const shown = attachments.get(conversation.id);
  byId("attached").hidden = !shown;
  if (!shown) return;
  const remove = () => {
    attachments.delete(conversation.id);
    showAttached(conversation);
    byId("ask").focus();
  };
  byId("attached").replaceChildren(element("img", { src: shown, alt: "" }), "Image", iconOnly("x", "Remove the image", remove));
}
