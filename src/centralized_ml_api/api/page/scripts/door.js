// The door: the one place to enter a key.

/** Shows the door; `wrong` says what is the matter with the key that was there. */
function openDoor(wrong = "") {
  const input = element("input", {
    id: "key", class: "mono", type: "password", autocomplete: "off", spellcheck: "false", required: true,
    "aria-invalid": wrong ? "true" : null, "aria-describedby": wrong ? "key-wrong" : null,
  });
  const isKept = element("input", { type: "checkbox" });
  const onsubmit = (event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    key.set(input.value.trim(), { isKept: isKept.checked });
    load();
  };
  const left = timeLeft();
  byId("door").replaceChildren(element(
    "div",
    {},
    logo(),
    element("h1", { dir: "auto" }, eventTitle()),
    left ? element("p", { class: "faint" }, left.text) : null,
    element(
      "form",
      { onsubmit },
      labelled("Your team's key", input),
      wrong ? element("p", { class: "bad small", id: "key-wrong", role: "alert" }, wrong) : null,
      element("label", { class: "check small" }, isKept, "Keep me signed in on this device"),
      element("button", { class: "primary" }, "Open"),
      state.catalogue ? element("button", { type: "button", class: "quiet", onclick: closeDoor }, "Back") : null,
    ),
    EVENT.joins ? element("p", { class: "small" }, element("a", { href: `${BASE}join` }, "No key yet? Join with your team")) : null,
    element("p", { class: "small faint" }, "Whoever runs this API gives you the key. It stays in this tab until you close it, and is sent to this API only."),
    trustNote(),
  ));
  byId("door").hidden = false;
  byId("app").hidden = true;
  input.focus();
}

function closeDoor() {
  byId("door").hidden = true;
  byId("app").hidden = false;
}
