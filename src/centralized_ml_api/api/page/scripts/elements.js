// Builds elements from values, never from markup: whatever comes from a model or a config stays text.

const SVG = "http://www.w3.org/2000/svg";

/** `element("a", {href: "#"}, "text", child)`; a property `on…` is a listener, null children are left out. */
function element(tag, properties = {}, ...children) {
  const built = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) built.addEventListener(name.slice(2), value);
    else built.setAttribute(name, value === true ? "" : value);
  }
  built.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return built;
}

const byId = (id) => document.getElementById(id);

/** Builds one of the icons that the document defines; it says nothing to a screen reader. */
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Builds a button with an icon and a label; further properties are the element's. */
function iconButton(name, label, onclick, properties = {}) {
  const text = element("span", { class: "label" }, label);
  return element("button", { type: "button", class: "quiet", onclick, ...properties }, icon(name), text);
}

/** Builds a button that shows only its icon, and says its label. */
function iconOnly(name, label, onclick, properties = {}) {
  const shown = { class: "quiet icon", "aria-label": label, title: label };
  return element("button", { type: "button", ...shown, onclick, ...properties }, icon(name));
}

/** Builds an input with its label above it, and `hint` on the other end of the label's line. */
function labelled(label, input, hint = null) {
  return element("label", { class: "field" }, element("span", {}, label, hint), input);
}

/** Builds a list of terms, without those that have no value. */
function termList(name, rows) {
  const shown = rows.filter(([, value]) => value);
  return element(
    "dl",
    { class: name },
    shown.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", { dir: "auto" }, value))),
  );
}

/**
 * Builds tabs that the arrow keys move through; `tabList` holds `[name, buildPanel]` pairs.
 * Source: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
 */
function tabs(label, tabList, { selected = 0, onSelect = () => {} } = {}) {
  const panel = element("div", { role: "tabpanel", tabindex: "-1" });
  const buttons = tabList.map(([name], index) =>
    element("button", { type: "button", role: "tab", onclick: () => select(index) }, name),
  );
  const select = (chosen) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
    });
    const [name, buildPanel] = tabList[chosen];
    panel.setAttribute("aria-label", name);
    panel.replaceChildren(...[buildPanel()].flat());
    onSelect(chosen);
  };
  const onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    select(next);
    buttons[next].focus();
  };
  select(Math.min(selected, buttons.length - 1));
  const list = element("div", { role: "tablist", "aria-label": label, class: "tabs", onkeydown }, buttons);
  return element("div", {}, list, panel);
}

/** Builds a box of code with a button that copies `text`, or what `copied()` returns. */
function codeBox(label, text, { language = "", copied = () => text } = {}) {
  const code = element("code", {}, text);
  highlight(code, language);
  const header = element("header", {}, element("span", {}, label), copyButton(copied));
  return element("div", { class: "codebox" }, header, element("pre", { tabindex: "0", dir: "ltr" }, code));
}

/** Builds a button that copies what `text()` returns. */
function copyButton(text) {
  const button = iconButton("copy", "Copy", () => copy(text(), button.lastChild));
  return button;
}

/** Copies the text; for a moment, the label says so. */
async function copy(text, label) {
  label.dataset.label ??= label.textContent; // a second click may find "Copied" there
  label.textContent = (await writeClipboard(text)) ? "Copied" : "Select the text to copy it";
  say(label.textContent);
  setTimeout(() => { label.textContent = label.dataset.label; }, 1500);
}

/** Returns whether the text was copied. Over plain HTTP from another machine, browsers have only the old way. */
async function writeClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { class: "only-read", readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

/** Offers a text or file to save. */
function download(name, content, type = "text/plain") {
  const href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = element("a", { href, download: name });
  link.click();
  URL.revokeObjectURL(href);
}

/** Shows a message for some seconds, with an action that undoes what it is about. */
function toast(message, label, undo) {
  const hide = () => { byId("toast").hidden = true; };
  const button = element("button", { type: "button", onclick: () => { hide(); undo(); } }, label);
  byId("toast").replaceChildren(element("span", {}, message), button);
  byId("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(hide, 8000);
}

/** Draws what is in a container anew; what had the focus has it again. */
function keepFocus(container, draw) {
  const name = (node) => node.getAttribute("aria-label") ?? (node.title || node.textContent);
  const focused = container.contains(document.activeElement) ? name(document.activeElement) : null;
  draw();
  const again = [...container.querySelectorAll("a, button")].find((node) => name(node) === focused);
  if (again && !container.contains(document.activeElement)) again.focus();
}

/** Tells a screen reader. */
function say(message) {
  byId("said").textContent = message;
}
