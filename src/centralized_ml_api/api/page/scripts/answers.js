// Answers, each shown as what it is.

/** Shows an error: what happened, what to do, and a button where trying again helps. */
function showProblem(place, error, again) {
  const wait = secondsToWait(error.retryAfter);
  const waits = wait ? ` Try again in ${duration(wait)}.` : "";
  const retry = [0, 429, 502, 503, 504].includes(error.status) && again;
  place.replaceChildren(
    element(
      "div",
      { class: "problem", role: "alert" },
      element("p", {}, element("strong", {}, error.status ? `${error.status} ` : ""), error.message),
      element("p", {}, hint(error.status) + waits),
      error.requestId ? element("p", { class: "measures mono" }, `request ${error.requestId}`) : null,
      retry ? element("p", {}, element("button", { type: "button", onclick: again }, "Try again")) : null,
    ),
  );
  if (error.status === 401) askForOtherKey();
}

/** Shows a whole answer. */
async function showAnswer(place, response, started) {
  const type = (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (type === "text/event-stream") return showStream(place, response, started);
  const blob = await response.blob();
  place.replaceChildren(measures(response, blob.size, started), ...(await views(type, blob)));
  return undefined;
}

function measures(response, bytes, started) {
  return element(
    "p",
    { class: "measures" },
    element("span", { class: "good" }, `${response.status} ${response.statusText}`.trim()),
    element("span", {}, milliseconds(started)),
    element("span", {}, size(bytes)),
    element("span", {}, response.headers.get("content-type") ?? ""),
  );
}

async function showStream(place, response, started) {
  const shown = element("p", { class: "said", "aria-live": "polite" });
  place.replaceChildren(shown);
  for await (const piece of texts(response)) shown.append(piece);
  place.prepend(measures(response, shown.textContent.length, started));
}

async function views(type, blob) {
  if (type.startsWith("image/")) return [picture(URL.createObjectURL(blob), "The model's image"), save(blob, type)];
  if (type.startsWith("audio/")) {
    const src = URL.createObjectURL(blob);
    return [element("audio", { controls: true, src, "aria-label": "The model's audio" }), save(blob, type)];
  }
  if (type.endsWith("json")) return jsonViews(await blob.text());
  if (type.startsWith("text/")) return [element("p", { class: "said" }, await blob.text())];
  return [save(blob, type)];
}

/** What in a JSON answer is for people comes first; the whole of it stays one click away. */
function jsonViews(text) {
  const value = parsed(text);
  if (value === undefined) return [element("pre", {}, text)];
  const main = [...saidIn(value).map((said) => element("p", { class: "said" }, said)), ...imagesIn(value)];
  const whole = element("pre", {}, shortened(value));
  return main.length ? [...main, element("details", {}, element("summary", {}, "The whole answer"), whole)] : [whole];
}

function saidIn(value) {
  const first = Array.isArray(value) ? value[0] : value;
  const found = [
    value?.generated_texts,
    value?.choices?.map((choice) => choice.message?.content ?? choice.text),
    first?.generated_text,
    value?.text,
  ];
  return found.flat().filter((said) => typeof said === "string" && said !== "");
}

function imagesIn(value) {
  const encoded = (value?.artifacts ?? []).map((artifact) => artifact?.base64);
  return encoded
    .filter((data) => typeof data === "string" && /^[A-Za-z0-9+/=]+$/.test(data))
    .map((data) => picture(`data:image/png;base64,${data}`, "The model's image"));
}

/** Long texts (an image in base64, a thousand numbers) would bury the rest. */
function shortened(value) {
  const short = (_key, part) => {
    if (typeof part === "string" && part.length > 600) return `${part.slice(0, 80)}… (${part.length} characters)`;
    if (Array.isArray(part) && part.length > 50) return [...part.slice(0, 8), `… (${part.length} values)`];
    return part;
  };
  return JSON.stringify(value, short, 2);
}

const picture = (src, alt) => element("img", { src, alt });

function save(blob, type) {
  const name = `answer.${type.split("/")[1]?.replace(/^x-|[^a-z0-9]/g, "") || "bin"}`;
  const href = URL.createObjectURL(blob);
  return element("p", {}, element("a", { href, download: name }, `Save ${name}`), ` (${size(blob.size)})`);
}
