// Elements are made from values, never from markup: whatever a model or a config says stays text.

/** `element("a", {href: "#"}, "text", another)`; a property `on…` is a listener, null children are left out. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const byId = (id) => document.getElementById(id);

/** A field with its label above. */
function field(label, input) {
  return element("label", { class: "field" }, element("span", {}, label), input);
}

/** Tabs that arrow keys walk through. Source: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ */
function tabs(label, parts) {
  const panel = element("div", { role: "tabpanel", class: "body", tabindex: "-1" });
  const buttons = parts.map(([name], index) =>
    element("button", { type: "button", role: "tab", onclick: () => choose(index) }, name),
  );
  const choose = (index) => {
    buttons.forEach((button, other) => {
      button.setAttribute("aria-selected", String(other === index));
      button.tabIndex = other === index ? 0 : -1;
    });
    panel.setAttribute("aria-label", parts[index][0]);
    panel.replaceChildren(parts[index][1]());
  };
  const walk = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    choose(next);
    buttons[next].focus();
  };
  choose(0);
  const list = element("div", { role: "tablist", "aria-label": label, class: "tabs", onkeydown: walk }, buttons);
  return { card: element("section", { class: "card" }, list, panel), choose };
}

/** A copy of the text, with a word when it is done. */
async function copy(text, button) {
  button.dataset.label ??= button.textContent; // not what it says when it is clicked twice
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it and copy";
  }
  setTimeout(() => { button.textContent = button.dataset.label; }, 1500);
}
