// Shows how similar texts are to each other: a table of the cosine similarities of their embeddings.

const EXAMPLES = ["The cat sleeps on the sofa.", "A kitten naps on the couch.", "Stocks fell sharply on Monday."];

/** Builds the form for an embeddings model; `onChange(request)` gets the request that would be sent. */
function compareForm(model, onChange) {
  const input = element("textarea", { rows: "5", dir: "auto" });
  input.value = EXAMPLES.join("\n");
  const lines = () => input.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const build = () =>
    buildRequest("/v1/embeddings", { body: JSON.stringify({ model: model.name, input: lines() }) });
  input.addEventListener("input", () => onChange(build()));
  onChange(build());
  return twoCards("Texts to compare", [labelled("Texts, one per line", input)], "Compare", async (output) => {
    if (lines().length < 2) {
      output.replaceChildren(element("p", {}, "Enter at least two texts, one per line."));
      return;
    }
    const started = performance.now();
    const response = await send(build());
    const text = await response.text();
    const vectors = parseJson(text)?.data?.map((item) => item.embedding);
    if (!vectors?.every(Array.isArray)) throw new CallError("The response contains no embeddings.");
    output.replaceChildren(similarityTable(lines(), vectors), metrics(response, text.length, started));
  });
}

function similarityTable(texts, vectors) {
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
  const caption = element("caption", { class: "only-read" }, "Similarity of each pair of texts; 1 means identical");
  const table = element("table", { class: "similarity" }, caption, element("thead", {}, head), element("tbody", {}, rows));
  return element("div", { class: "scrollable", tabindex: "0", role: "region", "aria-label": "Similarity" }, table);
}

function cell(similarity) {
  const shown = element("td", {}, similarity.toFixed(2).replace("-0.00", "0.00"));
  const percent = Math.round(Math.max(0, similarity) * 100);
  shown.style.background = `color-mix(in oklab, var(--accent) ${percent}%, var(--sunken))`;
  if (percent > 55) shown.style.color = "var(--on-accent)";
  return shown;
}

/** Returns the cosine similarity of two vectors, 0 if one has no length. */
function cosine(left, right) {
  let product = 0;
  let leftSquared = 0;
  let rightSquared = 0;
  for (let index = 0; index < left.length; index += 1) {
    product += left[index] * right[index];
    leftSquared += left[index] ** 2;
    rightSquared += right[index] ** 2;
  }
  return product / Math.sqrt(leftSquared * rightSquared || 1);
}
