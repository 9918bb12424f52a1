// The forms of a model's own path: one text of its sample, a whole body, or a file.

/** A form with a button; `build()` gives the request, or null while something is missing. */
function callForm(fields, build, { verb = "Call", signalChange }) {
  const place = element("div", { class: "answer", "aria-live": "polite" });
  const go = element("button", { class: "primary", type: "submit" }, verb);
  const call = async (event) => {
    event?.preventDefault();
    const wanted = build();
    if (!wanted) return;
    const started = performance.now();
    go.disabled = true;
    place.replaceChildren(element("p", { class: "measures" }, "Waiting for the model…"));
    try {
      await showAnswer(place, await send(wanted), started);
    } catch (error) {
      showProblem(place, error instanceof CallError ? error : new CallError(String(error)), call);
    } finally {
      go.disabled = false;
    }
  };
  const form = element(
    "form",
    { class: "answer", onsubmit: call, oninput: signalChange },
    fields,
    element("p", { class: "buttons" }, go),
    place,
  );
  signalChange();
  return form;
}

/** What the path may answer with: the model's own kind, or whatever it likes. */
const acceptOf = (model) => model.gives || "*/*";

/** One text in the sample, at the JSON pointer `at`. */
function textForm(model, at, changed) {
  const input = element("textarea", { rows: "3" });
  input.value = at.split("/").slice(1).reduce((part, name) => part[unescaped(name)], model.sample);
  const build = () =>
    request(model.path, {
      body: JSON.stringify(withText(model.sample, at.split("/").slice(1), input.value)),
      accept: acceptOf(model),
    });
  return callForm([field("Text", input)], build, { signalChange: () => changed(build()) });
}

// Source: RFC 6901, section 4
const unescaped = (name) => name.replaceAll("~1", "/").replaceAll("~0", "~");

function withText(value, [name, ...rest], text) {
  if (name === undefined) return text;
  const copied = Array.isArray(value) ? [...value] : { ...value };
  copied[unescaped(name)] = withText(copied[unescaped(name)], rest, text);
  return copied;
}

/** A whole JSON body. */
function jsonForm(model, changed) {
  const input = element("textarea", { rows: "9", class: "mono", spellcheck: "false" });
  const wrong = element("p", { class: "measures", role: "status" });
  input.value = JSON.stringify(model.sample ?? {}, null, 2);
  const build = () => request(model.path, { body: input.value, accept: acceptOf(model) });
  const check = () => {
    wrong.textContent = parsed(input.value) === undefined ? "This is not JSON; it is sent as it stands." : "";
    changed(build());
  };
  return callForm([field("Request body", input), wrong], build, { signalChange: check });
}

/** A file: the sample until another one is chosen, dropped, or recorded where it is sound. */
function fileForm(model, kind, changed) {
  let file = model.sample_file ? sampleOf(model.sample_file) : null;
  const shown = element("div", { class: "answer" }, file ? filePreview(file) : []);
  const name = element("span", { class: "measures", dir: "auto" }, file ? `${file.name}, a sample` : "");
  const wrong = element("p", { class: "measures", role: "status" });
  const placeholder = request(model.path, {
    body: null,
    type: model.takes,
    accept: acceptOf(model),
    file: `sample.${model.takes.split("/")[1].replace(/[^a-z0-9]/g, "") || "bin"}`,
  });
  const call = () =>
    file
      ? request(model.path, { body: file, type: file.type || model.takes, accept: acceptOf(model), file: file.name })
      : null;
  const signalChange = () => changed(call() ?? placeholder);
  const take = (taken) => {
    file = taken;
    wrong.textContent = "";
    name.textContent = file.name;
    shown.replaceChildren(...filePreview(file));
    signalChange();
  };
  const build = () => {
    if (!file) wrong.textContent = "Choose a file first.";
    return call();
  };
  const input = element("input", {
    type: "file",
    class: "hidden-label",
    accept: kind === "file" ? null : `${kind}/*`,
    onchange: () => input.files[0] && take(input.files[0]),
  });
  const recorder = kind === "audio" ? recordButton(take, (said) => { wrong.textContent = said; }) : null;
  const choose = element("label", { class: "button" }, file ? "Choose another file" : "Choose a file", input);
  const fields = [element("div", { class: "buttons" }, choose, recorder, name), shown, wrong];
  return callForm(fields, build, { signalChange });
}

/** The sample of the catalogue as if it had been chosen. */
function sampleOf({ name, media_type, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new File([bytes], name, { type: media_type });
}

function filePreview(file) {
  const src = URL.createObjectURL(file);
  if (file.type.startsWith("image/")) return [element("img", { class: "preview", src, alt: "Your image" })];
  if (file.type.startsWith("audio/")) return [element("audio", { controls: true, src, "aria-label": "Your audio" })];
  return [element("p", { class: "measures" }, `${file.name}, ${size(file.size)}`)];
}
