// Shows embeddings as a table: how similar every two of some texts are.

const EXAMPLES = ["The cat sleeps on the sofa.", "A kitten naps on the couch.", "Stocks fell sharply on Monday."];

/** The form of a model that embeds; `changed(request)` hears what would be sent. */
function compareForm(model, changed) {
  const input = element("textarea", { rows: "5" });
  const place = element("div", { class: "answer", "aria-live": "polite" });
  const go = element("button", { class: "primary", type: "submit" }, "Compare");
  input.value = EXAMPLES.join("\n");
  const lines = () => input.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const build = () =>
    request("/v1/embeddings", { body: JSON.stringify({ model: model.name, input: lines() }) });

  const compare = async (event) => {
    event?.preventDefault();
    if (lines().length < 2) {
      place.replaceChildren(element("p", {}, "Write at least two texts, each on a line of its own."));
      return;
    }
    const started = performance.now();
    go.disabled = true;
    try {
      const response = await send(build());
      const text = await response.text();
      const vectors = parsed(text).data.map((item) => item.embedding);
      place.replaceChildren(measures(response, text.length, started), table(lines(), vectors));
    } catch (error) {
      showProblem(place, error instanceof CallError ? error : new CallError("The answer has no embeddings."), compare);
    } finally {
      go.disabled = false;
    }
  };
  input.addEventListener("input", () => changed(build()));
  changed(build());
  return element(
    "form",
    { class: "answer", onsubmit: compare },
    field("Texts, each on a line of its own", input),
    element("p", { class: "buttons" }, go),
    place,
  );
}

function table(texts, vectors) {
  const rows = texts.map((text, row) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", title: text }, `${row + 1}  ${text}`),
      vectors.map((vector) => cell(cosine(vectors[row], vector))),
    ),
  );
  const numbers = texts.map((text, index) => element("th", { scope: "col", title: text }, String(index + 1)));
  const head = element("tr", {}, element("td", {}), numbers);
  const caption = element("caption", { class: "hidden-label" }, "How similar every two texts are, 1 is the same");
  const whole = element("table", { class: "similarity" }, caption, element("thead", {}, head), element("tbody", {}, rows));
  return element("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Similarity" }, whole);
}

function cell(similarity) {
  const made = element("td", {}, similarity.toFixed(2).replace("-0.00", "0.00"));
  const share = Math.round(Math.max(0, similarity) * 100);
  made.style.background = `color-mix(in oklab, var(--accent) ${share}%, var(--sunken))`;
  if (share > 55) made.style.color = "var(--on-accent)";
  return made;
}

function cosine(left, right) {
  let product = 0;
  let ofLeft = 0;
  let ofRight = 0;
  for (let index = 0; index < left.length; index += 1) {
    product += left[index] * right[index];
    ofLeft += left[index] ** 2;
    ofRight += right[index] ** 2;
  }
  return product / Math.sqrt(ofLeft * ofRight || 1);
}
