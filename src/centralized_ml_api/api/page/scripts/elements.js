// Builds elements from values, never from markup: whatever comes from a model or a config stays text.

/** `element("a", {href: "#"}, "text", child)`; a property `on…` is a listener, null children are left out. */
function element(tag, properties = {}, ...children) {
  const built = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) built.addEventListener(name.slice(2), value);
    else built.setAttribute(name, value === true ? "" : value);
  }
  built.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return built;
}

const byId = (id) => document.getElementById(id);

/** Builds an input with its label above it. */
function labelled(label, input) {
  return element("label", { class: "field" }, element("span", {}, label), input);
}

/**
 * Builds tabs that the arrow keys move through; `tabList` holds `[name, buildPanel]` pairs.
 * Source: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
 */
function tabs(label, tabList) {
  const panel = element("div", { role: "tabpanel", class: "body", tabindex: "-1" });
  const buttons = tabList.map(([name], index) =>
    element("button", { type: "button", role: "tab", onclick: () => select(index) }, name),
  );
  const select = (selected) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === selected));
      button.tabIndex = index === selected ? 0 : -1;
    });
    const [name, buildPanel] = tabList[selected];
    panel.setAttribute("aria-label", name);
    panel.replaceChildren(buildPanel());
  };
  const onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    select(next);
    buttons[next].focus();
  };
  select(0);
  const list = element("div", { role: "tablist", "aria-label": label, class: "tabs", onkeydown }, buttons);
  return { card: element("section", { class: "card" }, list, panel), select };
}

/** Copies the text to the clipboard; for a moment, the button says so. */
async function copy(text, button) {
  button.dataset.label ??= button.textContent; // a second click may find "Copied" there
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select the text to copy it";
  }
  setTimeout(() => { button.textContent = button.dataset.label; }, 1500);
}
