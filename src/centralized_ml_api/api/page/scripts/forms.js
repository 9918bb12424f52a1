// Builds the forms for a model's own path: one text of its sample, a complete body, or a file.

/**
 * Builds a form with a button that calls the model.
 * `build()` returns the request, or null while something is missing; `onInput()` runs when a field changes.
 */
function callForm(fields, build, onInput) {
  const output = element("div", { class: "answer", "aria-live": "polite" });
  const button = element("button", { class: "primary", type: "submit" }, "Send");
  const submit = async (event) => {
    event?.preventDefault();
    const request = build();
    if (!request) return;
    const started = performance.now();
    button.disabled = true;
    output.replaceChildren(element("p", { class: "note" }, "Waiting for the model…"));
    try {
      await showResponse(output, await send(request), started);
    } catch (error) {
      showProblem(output, error instanceof CallError ? error : new CallError(String(error)), submit);
    } finally {
      button.disabled = false;
    }
  };
  const form = element(
    "form",
    { class: "answer", onsubmit: submit, oninput: onInput },
    fields,
    element("p", { class: "buttons" }, button),
    output,
  );
  onInput();
  return form;
}

/** Returns the `Accept` of a request to the model's own path: its output type, or anything. */
const acceptOf = (model) => model.gives || "*/*";

/** Builds the form for the one text of the sample that the JSON pointer `pointer` leads to. */
function textForm(model, pointer, onChange) {
  const input = element("textarea", { rows: "3" });
  const path = pointer.split("/").slice(1).map(unescapeToken);
  input.value = path.reduce((value, token) => value[token], model.sample);
  const build = () =>
    buildRequest(model.path, {
      body: JSON.stringify(withText(model.sample, path, input.value)),
      accept: acceptOf(model),
    });
  return callForm([labelled("Text", input)], build, () => onChange(build()));
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
  const warning = element("p", { class: "note", role: "status" });
  input.value = JSON.stringify(model.sample ?? {}, null, 2);
  const build = () => buildRequest(model.path, { body: input.value, accept: acceptOf(model) });
  const onInput = () => {
    const valid = parseJson(input.value) !== undefined;
    warning.textContent = valid ? "" : "This is not valid JSON. It will be sent unchanged.";
    onChange(build());
  };
  return callForm([labelled("Request body", input), warning], build, onInput);
}

/** Builds the form for a file: the sample, until the user chooses another file or records one. */
function fileForm(model, kind, onChange) {
  let file = model.sample_file ? sampleFile(model.sample_file) : null;
  const preview = element("div", { class: "answer" }, file ? filePreview(file) : []);
  const fileName = element("span", { class: "note", dir: "auto" }, file ? `${file.name} (sample)` : "");
  const warning = element("p", { class: "note", role: "status" });
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
    fileName.textContent = file.name;
    preview.replaceChildren(...filePreview(file));
    onInput();
  };
  const build = () => {
    if (!file) warning.textContent = "Choose a file first.";
    return buildFromFile();
  };
  const input = element("input", {
    type: "file",
    class: "hidden-label",
    accept: kind === "file" ? null : `${kind}/*`,
    onchange: () => input.files[0] && useFile(input.files[0]),
  });
  const recorder =
    kind === "audio" ? recordButton(useFile, (message) => { warning.textContent = message; }) : null;
  const choose = element("label", { class: "button" }, file ? "Choose another file" : "Choose a file", input);
  const fields = [element("div", { class: "buttons" }, choose, recorder, fileName), preview, warning];
  return callForm(fields, build, onInput);
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
  return [element("p", { class: "note" }, `${file.name}, ${formatSize(file.size)}`)];
}
