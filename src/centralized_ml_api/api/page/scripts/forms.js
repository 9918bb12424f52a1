// Builds the forms for a model's own path: one text of its sample, a complete body, or a file.

/** Builds the view of a model that does not chat: what it is, what goes in, what comes out. */
function buildTask(model) {
  const description = model.description ? element("p", { class: "lead", dir: "auto" }, model.description) : null;
  if (!model.served) return element("div", { class: "task" }, description, notServed(model), aboutModel(model));
  const onChange = (request) => {
    state.request = () => request;
    refreshCode();
  };
  const cards = model.openai === "embeddings" ? compareForm(model, onChange) : requestForm(model, onChange);
  return element("div", { class: "task" }, description, cards, aboutModel(model));
}

/** Says that a model is not served. How to change that is for the organizers, who read it in the terminal. */
function notServed(model) {
  const words = `${model.name} is not served here. Ask the organizers about it, or try another model.`;
  return element("div", { class: "note" }, icon("alert"), element("div", {}, element("p", { dir: "auto" }, words)));
}

/** Builds the form for the model's own path. */
function requestForm(model, onChange) {
  const { kind, at: pointer } = model.form;
  if (kind === "text") return textForm(model, pointer, onChange);
  return kind === "json" ? jsonForm(model, onChange) : fileForm(model, kind, onChange);
}

/** Builds the two cards of a form: its fields with the button, and the answer. */
function twoCards(title, fields, verb, submit) {
  const output = element("div", { class: "output", "aria-live": "polite" }, element("p", { class: "faint" }, "The answer appears here."));
  const button = element("button", { class: "primary", type: "submit" }, verb);
  const onsubmit = async (event) => {
    event?.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    output.setAttribute("aria-busy", "true");
    try {
      await submit(output, onsubmit);
    } catch (error) {
      const problem = error instanceof CallError ? error : new CallError(String(error));
      output.replaceChildren(problemNote(problem, onsubmit));
    } finally {
      button.disabled = false;
      output.removeAttribute("aria-busy");
    }
  };
  const form = element("form", { class: "card", onsubmit }, cardHeader(title), element("div", {}, fields, element("div", { class: "row" }, button)));
  return [form, element("section", { class: "card", "aria-label": "Answer" }, cardHeader("Answer"), output)];
}

const cardHeader = (title) => element("header", {}, element("h2", {}, title));

/**
 * Builds a form that calls the model.
 * `build()` returns the request, or null while something is missing; `onInput()` runs when a field changes.
 */
function callForm(model, title, fields, build, onInput) {
  const cards = twoCards(title, fields, VERBS[kindOf(model)] ?? "Send", async (output) => {
    const request = build();
    if (!request) return;
    const started = performance.now();
    output.replaceChildren(element("p", { class: "faint" }, "Waiting for the model…"));
    await showResponse(output, await send(request), started);
  });
  cards[0].addEventListener("input", onInput);
  onInput();
  return cards;
}

/** Returns the `Accept` of a request to the model's own path: its output type, or anything. */
const acceptOf = (model) => model.gives || "*/*";

/** Builds the form for the one text of the sample that the JSON pointer `pointer` leads to. */
function textForm(model, pointer, onChange) {
  const input = element("textarea", { rows: "3", dir: "auto", "aria-label": "Text" });
  const path = pointer.split("/").slice(1).map(unescapeToken);
  input.value = path.reduce((value, token) => value[token], model.sample);
  const build = () =>
    buildRequest(model.path, {
      body: JSON.stringify(withText(model.sample, path, input.value)),
      accept: acceptOf(model),
    });
  return callForm(model, "Text", [input], build, () => onChange(build()));
}

// Source: RFC 6901, section 4
const unescapeToken = (token) => token.replaceAll("~1", "/").replaceAll("~0", "~");

/** Returns a copy of the value with `text` at the path. */
function withText(value, [token, ...rest], text) {
  if (token === undefined) return text;
  const copied = Array.isArray(value) ? [...value] : { ...value };
  copied[token] = withText(copied[token], rest, text);
  return copied;
}

/** Builds the form for a complete JSON body. */
function jsonForm(model, onChange) {
  const input = element("textarea", { rows: "9", class: "mono", spellcheck: "false" });
  const warning = element("p", { class: "small wait", role: "status" });
  input.value = JSON.stringify(model.sample ?? {}, null, 2);
  const build = () => buildRequest(model.path, { body: input.value, accept: acceptOf(model) });
  const onInput = () => {
    const valid = parseJson(input.value) !== undefined;
    warning.textContent = valid ? "" : "This is not valid JSON. It will be sent unchanged.";
    onChange(build());
  };
  return callForm(model, "Request", [labelled("Request body, in JSON", input), warning], build, onInput);
}

/** Builds the form for a file: the sample, until the user chooses another file, drops one or records one. */
function fileForm(model, kind, onChange) {
  let file = model.sample_file ? sampleFile(model.sample_file) : null;
  const preview = element("div", {}, file ? filePreview(file) : []);
  const about = element("p", { class: "small faint", dir: "auto" });
  const warning = element("p", { class: "small wait", role: "status" });
  const placeholder = buildRequest(model.path, {
    body: null,
    type: model.takes,
    accept: acceptOf(model),
    file: `sample.${model.takes.split("/")[1].replace(/[^a-z0-9]/g, "") || "bin"}`,
  });
  const buildFromFile = () =>
    file
      ? buildRequest(model.path, { body: file, type: file.type || model.takes, accept: acceptOf(model), file: file.name })
      : null;
  const onInput = () => onChange(buildFromFile() ?? placeholder);
  const useFile = (chosen) => {
    file = chosen;
    warning.textContent = "";
    about.textContent = `${file.name}, ${formatSize(file.size)}`;
    preview.replaceChildren(...filePreview(file));
    onInput();
  };
  const build = () => {
    if (!file) warning.textContent = "Choose a file first.";
    return buildFromFile();
  };
  if (file) about.append(`${file.name}, a sample. `, sampleLink(file));
  return callForm(model, { audio: "Recording", image: "Picture" }[kind] ?? "File", [dropZone(kind, useFile, warning), preview, about, warning], build, onInput);
}

function sampleLink(file) {
  return element("a", { href: URL.createObjectURL(file), download: file.name }, "Download it: the code reads it.");
}

/** Builds the place where a file is dropped, chosen or recorded. */
function dropZone(kind, useFile, warning) {
  const input = element("input", {
    type: "file",
    class: "only-read",
    accept: kind === "file" ? null : `${kind}/*`,
    onchange: () => input.files[0] && useFile(input.files[0]),
  });
  const choose = element("label", { class: "button" }, icon("file"), "Choose a file", input);
  const fail = (message) => { warning.textContent = message; };
  const zone = element("div", { class: "drop" }, element("p", {}, "Drop a file here"), element("div", { class: "row wrap" }, choose, kind === "audio" ? recordButton(useFile, fail) : null));
  const over = (isOver) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", isOver);
  };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files[0]) useFile(event.dataTransfer.files[0]);
  });
  return zone;
}

/** Returns the sample from the catalogue as if the user had chosen it. */
function sampleFile({ name, media_type, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new File([bytes], name, { type: media_type });
}

function filePreview(file) {
  const src = URL.createObjectURL(file);
  if (file.type.startsWith("image/")) return [element("img", { class: "preview", src, alt: "Your image" })];
  if (file.type.startsWith("audio/")) return [element("audio", { controls: true, src, "aria-label": "Your audio" })];
  return [];
}
