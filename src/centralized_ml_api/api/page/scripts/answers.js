// Shows responses by their type: text, JSON, images, audio, files, errors.

/** Builds a note about an error: what happened, what to do, and a button where trying again helps. */
function problemNote(error, retry) {
  const wait = secondsToWait(error.retryAfter);
  const whatToDo = error.status === 0 && hasEnded() ? "The event has ended: the organizers may have stopped the API." : hint(error.status);
  const waitHint = wait ? ` Try again in ${formatDuration(wait)}.` : "";
  const canRetry = [0, 401, 429, 500, 502, 503, 504].includes(error.status) && retry;
  const actions = [
    canRetry ? element("button", { type: "button", onclick: retry }, "Try again") : null,
    error.status === 401 ? element("button", { type: "button", onclick: () => openDoor() }, "Enter a key") : null,
  ].filter(Boolean);
  return element(
    "div",
    { class: "note fails problem", role: "alert" },
    icon("alert"),
    element(
      "div",
      {},
      element("p", {}, element("strong", {}, error.status ? `${error.status} ` : ""), error.message),
      element("p", { class: "small" }, whatToDo + waitHint),
      error.requestId ? element("p", { class: "tiny faint mono" }, `Request ID: ${error.requestId}`) : null,
      actions.length ? element("div", { class: "actions" }, actions) : null,
    ),
  );
}

/** Shows a complete response, or a stream as it arrives; `started` is when the request was sent. */
async function showResponse(output, response, started) {
  const type = (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (type === "text/event-stream") return showStream(output, response, started);
  const blob = await response.blob();
  output.replaceChildren(...(await viewsOf(type, blob)), metrics(response, blob.size, started));
  return undefined;
}

function metrics(response, bytes, started) {
  return element(
    "p",
    { class: "measures" },
    element("span", {}, `${response.status} ${response.statusText}`.trim()),
    element("span", {}, formatElapsed(started)),
    element("span", {}, formatSize(bytes)),
    element("span", {}, response.headers.get("content-type") ?? ""),
  );
}

async function showStream(output, response, started) {
  const shown = element("p", { class: "said", dir: "auto" });
  output.replaceChildren(shown);
  for await (const text of readTexts(response)) shown.append(text);
  output.append(metrics(response, shown.textContent.length, started));
}

async function viewsOf(type, blob) {
  if (type.startsWith("image/")) {
    return [image(URL.createObjectURL(blob), "Image from the model"), downloadLink(blob, type)];
  }
  if (type.startsWith("audio/")) {
    const src = URL.createObjectURL(blob);
    return [element("audio", { controls: true, src, "aria-label": "Audio from the model" }), downloadLink(blob, type)];
  }
  if (type.endsWith("json")) return jsonViews(await blob.text());
  if (type.startsWith("text/")) return [answerText(await blob.text())];
  return [downloadLink(blob, type)];
}

/** Builds a text as it is, with a button that copies it. */
function answerText(text) {
  const said = element("p", { class: "said answer-text", dir: "auto" }, text);
  return element("div", {}, said, element("div", { class: "tools" }, copyButton(() => text)));
}

/** Shows the texts and images of a JSON response first; the full response stays one click away. */
function jsonViews(text) {
  const value = parseJson(text);
  if (value === undefined) return [element("pre", { tabindex: "0" }, text)];
  const readable = [...findTexts(value).map(answerText), ...findImages(value)];
  const json = element("pre", { tabindex: "0", dir: "ltr" }, abbreviate(value));
  if (!readable.length) return [json, element("div", { class: "tools" }, copyButton(() => text))];
  return [...readable, element("details", {}, element("summary", {}, "Full response"), json)];
}

function findTexts(value) {
  const first = Array.isArray(value) ? value[0] : value;
  const found = [
    value?.generated_texts,
    value?.choices?.map((choice) => choice.message?.content ?? choice.text),
    first?.generated_text,
    value?.text,
  ];
  return found.flat().filter((text) => typeof text === "string" && text !== "");
}

function findImages(value) {
  const encoded = (value?.artifacts ?? []).map((artifact) => artifact?.base64);
  return encoded
    .filter((data) => typeof data === "string" && /^[A-Za-z0-9+/=]+$/.test(data))
    .map((data) => image(`data:image/png;base64,${data}`, "Image from the model"));
}

/** Renders JSON with long values cut: an image in base64 or a thousand numbers would hide the rest. */
function abbreviate(value) {
  const cut = (_key, member) => {
    if (typeof member === "string" && member.length > 600) {
      return `${member.slice(0, 80)}… (${member.length} characters)`;
    }
    if (Array.isArray(member) && member.length > 50) return [...member.slice(0, 8), `… (${member.length} values)`];
    return member;
  };
  return JSON.stringify(value, cut, 2);
}

const image = (src, alt) => element("img", { src, alt });

function downloadLink(blob, type) {
  const name = `answer.${type.split("/")[1]?.replace(/^x-|[^a-z0-9]/g, "") || "bin"}`;
  const href = URL.createObjectURL(blob);
  return element("p", {}, element("a", { href, download: name }, `Download ${name}`), ` (${formatSize(blob.size)})`);
}
