// Turns a model's Markdown into elements: what it may contain is listed here, anything else stays text or is left out.

const TAGS = [
  "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
  "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
];
const ATTRIBUTES = ["align", "class", "href", "start"];
const ADDRESSES = /^(?:https?:|mailto:)/i;
const LANGUAGES = { html: "markup", js: "javascript", py: "python", sh: "bash", shell: "bash", ts: "typescript", xml: "markup" };
const TOKEN_CLASSES = {
  atrule: "k", boolean: "n", builtin: "k", comment: "c", "function-name": "k", keyword: "k", number: "n", property: "k",
  selector: "k", string: "s", "attr-value": "s", tag: "k", "template-string": "s", "triple-quoted-string": "s",
};
const MOST_HIGHLIGHTED = 50_000;

const escaped = (text) => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/**
 * Formulas in LaTeX stay as they were written: as Markdown they would lose their backslashes. A dollar sign begins one
 * only where an amount of money cannot be meant. Source: https://pandoc.org/MANUAL.html#extension-tex_math_dollars
 */
const INLINE_FORMULA = /^(?:\\\(([^]{1,2000}?)\\\)|\$\$([^$]{1,2000})\$\$|\$(?=[^$\n]*[\\^_=])(?=\S)([^$\n]{0,2000}[^$\s])\$(?!\d))/;
const BLOCK_FORMULA = /^ {0,3}(?:\\\[([^]{1,8000}?)\\\]|\$\$([^$]{1,8000})\$\$)[ \t]*(?:\n+|$)/;

/** Builds what makes formulas of what a pattern matches; `begins` finds where one may begin. */
function formulas(level, pattern, begins, render) {
  const tokenizer = (source) => {
    const found = pattern.exec(source);
    return found ? { type: `${level}Formula`, raw: found[0], text: found.slice(1).find((text) => text !== undefined).trim() } : undefined;
  };
  const start = (source) => begins.exec(source)?.index;
  return { name: `${level}Formula`, level, start, tokenizer, renderer: ({ text }) => render(escaped(text)) };
}

const markdown = new marked.Marked({
  extensions: [
    formulas("inline", INLINE_FORMULA, /\\\(|\$/, (text) => `<code class="formula">${text}</code>`),
    formulas("block", BLOCK_FORMULA, /(?<=\n) {0,3}(?:\\\[|\$\$)/, (text) => `<pre><code class="language-latex">${text}</code></pre>`),
  ],
  renderer: {
    html: ({ text, block }) => {
      const shown = /^<br\s*\/?>$/i.test(text.trim()) ? "<br>" : escaped(text);
      return block ? `<p>${shown}</p>` : shown;
    },
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

/**
 * Returns a view of a Markdown text that grows: `update(text)` draws only the blocks that changed.
 * `finish(text)` also highlights the last one.
 */
function markdownView() {
  const container = element("div", { class: "markdown" });
  let drawn = [];
  const draw = (text, isComplete) => {
    const tokens = markdown.lexer(text);
    const blocks = tokens.filter(({ type }) => type !== "space" && type !== "def");
    const kept = blocks.findIndex(({ raw }, index) => raw !== drawn[index]?.raw);
    const from = kept < 0 ? blocks.length : kept;
    const start = isComplete ? Math.min(from, Math.max(0, blocks.length - 1)) : from;
    drawn.slice(start).forEach(({ node }) => node.remove());
    const added = blocks.slice(start).map((token, index) => {
      const isGrowing = !isComplete && start + index === blocks.length - 1;
      return { raw: token.raw, node: buildBlock(token, tokens.links, isGrowing) };
    });
    container.append(...added.map(({ node }) => node));
    drawn = [...drawn.slice(0, start), ...added];
  };
  return { container, update: (text) => draw(text, false), finish: (text) => draw(text, true) };
}

/** Renders a complete text. */
function renderMarkdown(text) {
  const view = markdownView();
  view.finish(text);
  return view.container;
}

function buildBlock(token, links, isGrowing) {
  const html = markdown.parser(Object.assign([token], { links }));
  const block = element("div", { class: "block" }, DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: ADDRESSES,
    ADD_URI_SAFE_ATTR: ["align", "start"], // no addresses
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  }));
  // Only the outermost: what has a direction of its own does not count for that of a list around it.
  for (const part of block.children) part.dir = "auto";
  for (const link of block.querySelectorAll("a")) prepareLink(link);
  for (const table of block.querySelectorAll("table")) {
    const wide = element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table" });
    table.replaceWith(wide);
    wide.append(table);
  }
  for (const pre of block.querySelectorAll("pre")) pre.replaceWith(codeBlock(pre, isGrowing));
  return block;
}

/** Opens a link elsewhere; what is left of one to a forbidden address is its text. */
function prepareLink(link) {
  if (!link.hasAttribute("href")) return link.replaceWith(...link.childNodes);
  Object.assign(link, { target: "_blank", rel: "noopener noreferrer nofollow" });
  return undefined;
}

function codeBlock(pre, isGrowing) {
  const language = /language-(\S+)/.exec(pre.firstElementChild?.className ?? "")?.[1] ?? "";
  const text = pre.textContent.replace(/\n$/, "");
  return codeBox(language || "text", text, { language: isGrowing ? "" : language });
}

/** Colours code of a language that is known; the text stays the same. */
function highlight(code, language) {
  const grammar = Prism.languages[LANGUAGES[language] ?? language.toLowerCase()];
  if (!language || typeof grammar !== "object" || code.textContent.length > MOST_HIGHLIGHTED) return;
  code.replaceChildren(...tokenNodes(Prism.tokenize(code.textContent, grammar)));
}

function tokenNodes(tokens) {
  return [tokens].flat().map((token) =>
    typeof token === "string" ? token : element("span", { class: TOKEN_CLASSES[token.type] }, tokenNodes(token.content)),
  );
}
