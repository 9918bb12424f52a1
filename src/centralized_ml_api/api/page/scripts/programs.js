// The lines with which SDKs, frameworks and coding agents call a model: those that `mlapi clients` prints.

const PROGRAMS = JSON.parse(byId("clients").textContent);
const SHOWN_AS_REQUEST = ["curl", "openai-python"];
const PLACEHOLDER = /<<(\w+)(?::(\w+))?>>/g;
const HIGHLIGHTED_AS = { shell: "bash" };

const escapeAsJson = (value) => JSON.stringify(value).slice(1, -1);
const endQuotes = (value) => value.replaceAll("'", "'\\''");

/** How a value is written, as `api/clients.py` says. */
const FORMS = {
  "": escapeAsJson,
  plain: (value) => value,
  shell: (value) => `'${endQuotes(value)}'`,
  single: (value) => endQuotes(escapeAsJson(value)),
};

const renderLines = (lines, values) =>
  lines.replace(PLACEHOLDER, (_all, name, form = "") => FORMS[form](values[name]));

/** Returns the lines with which a shell trusts the API's own certificate authority; empty where that is not needed. */
const trustLines = () => (EVENT.trust ? renderLines(EVENT.trust, { authority: `${BASE.replace(/^https:/, "http:")}ca.pem` }) : "");

/** Says whose certificate a browser warned of; null where it did not. */
function trustNote() {
  if (!EVENT.authority) return null;
  return element("p", { class: "small faint trust" }, "Your browser warned of the certificate? It is this API's own. The fingerprint of its authority must be the one that the organizers show: ", element("span", { class: "mono" }, EVENT.authority));
}

/** Returns the programs that can call a model, each with its lines for one of the model's paths under `/v1`. */
function programsFor(model) {
  const routes = state.catalogue.data.find((listed) => listed.id === model.name)?.routes ?? [];
  return PROGRAMS.filter(({ id }) => !SHOWN_AS_REQUEST.includes(id)).flatMap((program) => {
    const [, lines] = program.lines.find(([path]) => routes.includes(path)) ?? [];
    return lines ? [{ ...program, lines }] : [];
  });
}

/** Builds the choice of a program and its lines; null where none can call the model. */
function programSection(model, needsKey) {
  const programs = programsFor(model);
  if (!programs.length) return null;
  const select = element("select", { "aria-label": "Program" }, programs.map(({ id, title }) => element("option", { value: id }, title)));
  const lines = element("div", { class: "program" });
  const show = () => {
    SELECTED.program = select.value;
    lines.replaceChildren(...programLines(programs.find(({ id }) => id === select.value), model, needsKey));
  };
  if (programs.some(({ id }) => id === SELECTED.program)) select.value = SELECTED.program;
  select.addEventListener("change", show);
  show();
  return element("section", { "aria-label": "In another program" }, labelled("In another program", select), lines);
}

function programLines({ language, place, install, lines }, model, needsKey) {
  const values = (shownKey) => ({ url: BASE.replace(/\/$/, ""), base: `${BASE}v1`, model: model.name, key: shownKey });
  const full = () => renderLines(lines, values(needsKey ? key.get() : "none"));
  const shown = renderLines(lines, values(needsKey ? maskedKey() : "none"));
  return [
    install ? codeBox("install it", install, { language: "bash" }) : null,
    codeBox(place, shown, { language: HIGHLIGHTED_AS[language] ?? language, copied: full }),
  ].filter(Boolean);
}
