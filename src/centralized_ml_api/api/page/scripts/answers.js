// Shows responses by their type: text, JSON, images, audio, files, errors.

/** Shows an error: what happened, what to do, and a button where trying again helps. */
function showProblem(output, error, retry) {
  const wait = secondsToWait(error.retryAfter);
  const waitHint = wait ? ` Try again in ${formatDuration(wait)}.` : "";
  const canRetry = [0, 429, 502, 503, 504].includes(error.status) && retry;
  output.replaceChildren(
    element(
      "div",
      { class: "problem", role: "alert" },
      element("p", {}, element("strong", {}, error.status ? `${error.status} ` : ""), error.message),
      element("p", {}, hint(error.status) + waitHint),
      error.requestId ? element("p", { class: "note mono" }, `Request ID: ${error.requestId}`) : null,
      canRetry ? element("p", {}, element("button", { type: "button", onclick: retry }, "Try again")) : null,
    ),
  );
  if (error.status === 401) askForKeyAgain();
}

/** Shows a complete response, or a stream as it arrives; `started` is when the request was sent. */
async function showResponse(output, response, started) {
  const type = (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (type === "text/event-stream") return showStream(output, response, started);
  const blob = await response.blob();
  output.replaceChildren(metrics(response, blob.size, started), ...(await views(type, blob)));
  return undefined;
}

function metrics(response, bytes, started) {
  return element(
    "p",
    { class: "note" },
    element("span", { class: "good" }, `${response.status} ${response.statusText}`.trim()),
    element("span", {}, formatElapsed(started)),
    element("span", {}, formatSize(bytes)),
    element("span", {}, response.headers.get("content-type") ?? ""),
  );
}

async function showStream(output, response, started) {
  const shown = element("p", { class: "answer-text", "aria-live": "polite" });
  output.replaceChildren(shown);
  for await (const text of readTexts(response)) shown.append(text);
  output.prepend(metrics(response, shown.textContent.length, started));
}

async function views(type, blob) {
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

const answerText = (text) => element("p", { class: "answer-text" }, text);

/** Shows the texts and images of a JSON response first; the full response stays one click away. */
function jsonViews(text) {
  const value = parseJson(text);
  if (value === undefined) return [element("pre", {}, text)];
  const readable = [...findTexts(value).map(answerText), ...findImages(value)];
  const json = element("pre", {}, abbreviate(value));
  if (!readable.length) return [json];
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
