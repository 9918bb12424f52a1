// Draws the figures of the organizer's screen: a number with its last hour, and how it is written.

const CHART_WIDTH = 300;
const CHART_HEIGHT = 60;

/** Writes a number short enough for a table: 950, 12.3 k, 4.5 M. */
function formatCount(number) {
  if (number < 10000) return number.toLocaleString("en", { maximumFractionDigits: number < 10 && number % 1 ? 1 : 0 });
  const [divided, unit] = number < 1e6 ? [number / 1e3, "k"] : [number / 1e6, "M"];
  return `${divided.toFixed(divided < 100 ? 1 : 0)} ${unit}`;
}

const formatUsd = (usd) => usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: usd && usd < 0.1 ? 4 : 2 });

const formatClock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });

/** Says how long ago an instant was, from the server's clock. */
function formatAgo(instant, now) {
  if (!instant) return "never";
  const seconds = (Date.parse(now) - Date.parse(instant)) / 1000;
  return seconds < 60 ? "now" : formatDuration(seconds);
}

/** Writes how much of a limit is used, such as "2.41 of 2.50 USD". */
function formatLimit({ unit, period, used, most }) {
  const write = unit === "usd" ? formatUsd : formatCount;
  const per = period === "event" ? "" : ` a ${period}`;
  return `${write(used)} of ${write(most)} ${unit === "usd" ? "USD" : unit}${per}`;
}

/** Returns the limit of which least is left; undefined without limits. */
function tightest(limits) {
  return [...limits].sort((one, other) => other.used / other.most - one.used / one.most)[0];
}

/** Builds a bar that shows how much of a limit is used; the words beside it say the same. */
function limitBar({ used, most }) {
  const share = most ? used / most : 1;
  const name = share >= 0.95 ? "over" : share >= 0.8 ? "near" : "";
  return element("progress", { max: "1", value: String(Math.min(1, share)), class: name, "aria-hidden": "true" });
}

/** Builds a figure: what is now, the highest, and a line of the last hour. */
function chart(label, figure, unit, values, formatValue) {
  const most = Math.max(...values, 0);
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const add = (name, d) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    svg.append(path);
  };
  add("rule", `M0 ${CHART_HEIGHT}H${CHART_WIDTH}`);
  if (values.length > 1) {
    const step = CHART_WIDTH / (values.length - 1);
    const y = (value) => (most ? CHART_HEIGHT - (value / most) * (CHART_HEIGHT - 4) : CHART_HEIGHT).toFixed(1);
    const line = values.map((value, index) => `${(index * step).toFixed(1)} ${y(value)}`).join("L");
    add("area", `M0 ${CHART_HEIGHT}L${line}L${CHART_WIDTH} ${CHART_HEIGHT}Z`);
    add("line", `M${line}`);
  }
  return element(
    "figure",
    { class: "chart" },
    element("figcaption", { class: "small faint" }, label),
    element(
      "p",
      { class: "row" },
      element("span", {}, element("b", { class: "figure" }, figure), element("span", { class: "small faint" }, unit)),
      values.length ? element("span", { class: "tiny faint" }, `highest ${formatValue(most)}`) : null,
    ),
    svg,
  );
}
