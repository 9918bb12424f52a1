// Draws the figures of the organizer's screen: a number with its last hour, and how it is written.

const CHART_WIDTH = 300;
const CHART_HEIGHT = 60;
const LATE_SECONDS = 90;
const HALF_DAY_SECONDS = 12 * 60 * 60;
const NEAR_BUDGET = 4; // a limit that is many times what is spent would press the line to the ground

/** Writes a number short enough for a table: 950, 12.3 k, 4.5 M. */
function formatCount(number) {
  if (number < 10000) return number.toLocaleString("en", { maximumFractionDigits: number < 10 && number % 1 ? 1 : 0 });
  const [divided, unit] = number < 1e6 ? [number / 1e3, "k"] : [number / 1e6, "M"];
  return `${divided.toFixed(divided < 100 ? 1 : 0)} ${unit}`;
}

const formatUsd = (usd) => usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: usd && usd < 0.1 ? 4 : 2 });

const formatClock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });

/** Writes an instant, with its day where the time alone could be that of another one. */
const formatWhen = (seconds) => (Math.abs(seconds - Date.parse(board.now.now) / 1000) < HALF_DAY_SECONDS ? formatClock(seconds) : formatDay(seconds * 1000));

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

/** Returns the limit that is used up first at the present pace, or else the one of which least is left. */
function mostPressing(limits) {
  const soon = limits.filter((limit) => limit.minutes_left !== null);
  return soon.sort((one, other) => one.minutes_left - other.minutes_left)[0] ?? tightest(limits);
}

const formatUsedUp = ({ minutes_left: minutes }) => `used up in ${formatDuration(minutes * 60)}`;

/** Builds a bar that shows how much of a limit is used; the words beside it say the same. */
function limitBar({ used, most }) {
  const share = most ? used / most : 1;
  const name = share >= 0.95 ? "over" : share >= 0.8 ? "near" : "";
  return element("progress", { max: "1", value: String(Math.min(1, share)), class: name, "aria-hidden": "true" });
}

/** Builds a figure: what is now, the highest, and a line of the last hour; where nothing is known, the line has a gap. */
function chart(label, figure, unit, points, formatValue) {
  const known = points.filter(({ value }) => value !== null);
  const most = Math.max(...known.map(({ value }) => value), 0);
  const [starts, ends] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0];
  const place = placeIn(starts, ends, most);
  const paths = listRuns(points).flatMap((run) => drawRun(run, place));
  const isNow = Date.parse(board.now.now) / 1000 - ends < LATE_SECONDS;
  return figureOf(label, [figure, unit], known.length ? `highest ${formatValue(most)}` : "", [["rule", `M0 ${CHART_HEIGHT}H${CHART_WIDTH}`], ...paths],
    points.length > 1 ? [formatClock(starts), isNow ? "now" : formatClock(ends)] : []);
}

/** Builds the figure of what is spent: a line since the first cent, how it goes on, and the limit of all teams. */
function spendingChart(usd, spending, budget) {
  const unit = budget ? ` of ${formatUsd(budget.most)} USD` : " USD";
  if (!spending) return figureOf("Spent by all teams", [formatUsd(usd), unit], "", [["rule", `M0 ${CHART_HEIGHT}H${CHART_WIDTH}`]], []);
  const points = spending.points.map((point) => ({ at: point.at, value: point.usd }));
  const { expected } = spending;
  const [first, last] = [points[0], points.at(-1)];
  const high = Math.max(last.value, expected?.usd ?? 0);
  const isNear = budget && budget.most <= high * NEAR_BUDGET;
  const ends = expected?.at ?? last.at;
  const place = placeIn(first.at, ends, Math.max(high, isNear ? budget.most : 0));
  const paths = drawRun(points, place);
  if (expected) paths.push(["ahead", `M${place(last)}L${place({ at: expected.at, value: expected.usd })}`]);
  if (isNear) paths.push(["budget", `M${place({ at: first.at, value: budget.most })}L${place({ at: ends, value: budget.most })}`]);
  const then = expected ? `${formatWhen(expected.at)}: about ${formatUsd(expected.usd)}` : "now";
  return figureOf("Spent by all teams", [formatUsd(usd), unit], "", [["rule", `M0 ${CHART_HEIGHT}H${CHART_WIDTH}`], ...paths], [formatWhen(first.at), then]);
}

/** Returns what places a point in a figure, as a path writes it. */
function placeIn(starts, ends, most) {
  const x = (at) => (ends > starts ? ((at - starts) / (ends - starts)) * CHART_WIDTH : 0).toFixed(1);
  const y = (value) => (most ? CHART_HEIGHT - (value / most) * (CHART_HEIGHT - 4) : CHART_HEIGHT).toFixed(1);
  return ({ at, value }) => `${x(at)} ${y(value)}`;
}

/** Returns the runs of points between gaps; of a point alone there is no line. */
function listRuns(points) {
  const runs = [[]];
  for (const point of points) {
    if (point.value !== null) runs.at(-1).push(point);
    else if (runs.at(-1).length) runs.push([]);
  }
  return runs.filter((run) => run.length > 1);
}

function drawRun(run, place) {
  const line = run.map(place).join("L");
  const x = (point) => place(point).split(" ")[0];
  return [["area", `M${x(run[0])} ${CHART_HEIGHT}L${line}L${x(run.at(-1))} ${CHART_HEIGHT}Z`], ["line", `M${line}`]];
}

/** Draws how much each minute of the last hour had, as a line that is as high as the highest of them. */
function sparkLine(minutes) {
  const points = minutes.map((value, at) => ({ at, value }));
  const place = placeIn(0, minutes.length - 1, Math.max(...minutes));
  return drawPaths([["line", `M${points.map(place).join("L")}`]], "spark");
}

function drawPaths(paths, look) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { class: look, viewBox: `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  for (const [name, d] of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** Builds a figure of its number with a unit, a note, the paths by their looks, and what is below the ends of its axis. */
function figureOf(label, [figure, unit], note, paths, ends) {
  return element(
    "figure",
    { class: "chart" },
    element("figcaption", { class: "small faint" }, label),
    element(
      "p",
      { class: "row" },
      element("span", {}, element("b", { class: "figure" }, figure), element("span", { class: "small faint" }, unit)),
      note ? element("span", { class: "tiny faint" }, note) : null,
    ),
    drawPaths(paths, "plot"),
    element("p", { class: "row tiny faint axis" }, ends.map((words) => element("span", {}, words))),
  );
}
