// Draws the teams on the organizer's screen, and what can be done with one of them.

const COLUMNS = [
  ["name", "Team", (team) => team.name, ""],
  ["pace", "A minute", (team) => -team.requests_per_minute, "number wide"],
  ["requests", "Requests", (team) => -team.requests, "number"],
  ["tokens", "Tokens", (team) => -team.tokens, "number wide"],
  ["usd", "USD", (team) => -team.usd, "number"],
  ["usage", "Limit", (team) => -(tightest(team.limits)?.used / tightest(team.limits)?.most || 0), ""],
  ["errors", "Errors", (team) => -team.errors, "number"],
  ["seen", "Seen", (team) => -Date.parse(team.last ?? 0), "number"],
];

function drawTeams() {
  const { teams, total, now } = board.now;
  const by = COLUMNS.find(([id]) => id === board.sort)[2];
  const shown = teams.filter((team) => team.name.toLowerCase().includes(board.find.toLowerCase()));
  shown.sort((one, other) => (by(one) < by(other) ? -1 : by(one) > by(other) ? 1 : one.name.localeCompare(other.name, "en", { numeric: true })));
  const tokens = total.tokens ? ` · ${formatCount(total.tokens)} tokens` : "";
  byId("teams-sum").textContent = `${teams.length} · ${formatCount(total.requests)} requests${tokens}`;
  if (!teams.length) return byId("teams-rows").replaceChildren(element("p", { class: "none" }, "The config lists no teams: everybody may call."));
  const heads = COLUMNS.filter(([id]) => id !== "pace" || hasPace()).map(([id, title, , look]) => {
    const sort = () => { board.sort = id; draw(); };
    const isSorted = board.sort === id;
    const arrow = isSorted ? (id === "name" ? " ↑" : " ↓") : "";
    return element("th", { scope: "col", class: look, "aria-sort": isSorted ? (id === "name" ? "ascending" : "descending") : null }, element("button", { type: "button", onclick: sort, "aria-label": `Sort by ${title}` }, `${title}${arrow}`));
  });
  const rows = shown.map((team) => drawTeam(team, now));
  const acts = element("th", { scope: "col" }, element("span", { class: "only-read" }, "Actions"));
  const table = element("table", {}, element("thead", {}, element("tr", {}, heads, acts)), element("tbody", {}, rows));
  return byId("teams-rows").replaceChildren(table);
}

/** Tells whether the target knows how much teams call now; AWS counts that for all of them together. */
const hasPace = () => board.now.teams.some((team) => team.requests_per_minute !== null);

function drawTeam(team, now) {
  const limit = mostPressing(team.limits);
  const seen = formatAgo(team.last, now);
  const tags = [[team.key !== "active", "no key"], [team.paused !== null, "paused"], [team.granted, "limit raised"]];
  const bar = limit ? element("span", { class: "share", title: team.limits.map(formatLimit).join("\n") }, limitBar(limit), element("span", {}, formatLimit(limit), limit.minutes_left === null ? null : element("span", { class: "tiny wait soon" }, formatUsedUp(limit)))) : element("span", { class: "faint" }, "none");
  const row = element(
    "tr",
    {},
    element("th", { scope: "row", dir: "auto" }, team.name, tags.map(([isShown, words]) => (isShown ? element("span", { class: "tag" }, words) : null))),
    hasPace() ? element("td", { class: "number wide" }, element("span", { class: "pace" }, sparkLine(team.minutes), element("span", {}, formatCount(team.requests_per_minute)))) : null,
    element("td", { class: "number" }, formatCount(team.requests)),
    element("td", { class: "number wide" }, formatCount(team.tokens)),
    element("td", { class: "number" }, formatUsd(team.usd)),
    element("td", {}, bar),
    element("td", { class: "number" }, team.errors ? formatCount(team.errors) : element("span", { class: "faint" }, "0")),
    element("td", { class: `number ${seen === "now" ? "good" : "faint"}` }, seen),
    element("td", { class: "more" }, moreButton("team", team.name)),
  );
  return board.open.has(`team ${team.name}`) ? [row, drawTeamActs(team)] : row;
}

/** Builds the button that unfolds what can be done with a model or a team. */
function moreButton(kind, name) {
  const id = `${kind} ${name}`;
  const toggle = () => {
    if (!board.open.delete(id)) board.open.add(id);
    draw();
  };
  return iconOnly("more", `Actions for ${name}`, toggle, { "aria-expanded": String(board.open.has(id)) });
}

function drawTeamActs(team) {
  const { name, granted } = team;
  const key = team.key === "active" ? `Its key ends in …${team.key_ending}` : "It has no key";
  const known = [key, granted ? `granted on top: ${formatGrant(granted)}` : "", team.paused ? `told: ${team.paused}` : ""];
  const revoke = nameButton("Revoke…", name, () => askRevoke(name));
  revoke.classList.add("bad");
  const buttons = [
    ...(findRaisable(team) ? listGrants(team).map(({ label, amounts }) => nameButton(label, name, () => grant(name, amounts))) : []),
    findRaisable(team) ? nameButton("More…", name, () => askGrant(name)) : null,
    granted && can("take-back") ? nameButton("Take back", name, () => takeBack(name)) : null,
    can("new-key") ? nameButton("New key…", name, () => askNewKey(name)) : null,
    can("pause") ? pauseButton(team) : null,
    team.key === "active" && can("revoke") ? revoke : null,
  ];
  const line = element("div", { class: "acts row wrap" }, element("span", { class: "small faint grow", dir: "auto" }, known.filter(Boolean).join(" · ")), buttons);
  return element("tr", { class: "unfolded" }, element("td", { colspan: String(COLUMNS.length + 1) }, line));
}

function pauseButton({ name, paused }) {
  if (paused !== null) return nameButton("Resume", name, () => resume({ team: name }));
  return nameButton("Pause…", name, () => askPause({ team: name }));
}

/** Returns the limit that a grant raises, of which least is left; undefined where none is per day or for the event. */
const findRaisable = ({ limits }) => (can("grant") ? mostPressing(limits.filter(isRaisable)) : undefined);

const isRaisable = ({ unit, period }) => period !== "minute" && (unit !== "requests" || !board.now.acts); // API Gateway counts requests

/** Returns what is granted with one click: half of the limit, and the limit once more. */
function listGrants(team) {
  const { unit, most } = findRaisable(team);
  const own = most - (team.granted?.[unit] ?? 0);
  const amounts = [own / 2, own].map((amount) => (unit === "usd" ? Math.round(amount * 100) / 100 : Math.round(amount)));
  return amounts.filter((amount) => amount > 0).map((amount) => ({ label: `+ ${formatAmount(unit, amount)}`, amounts: { [unit]: amount } }));
}

const formatAmount = (unit, amount) => `${(unit === "usd" ? formatUsd : formatCount)(amount)} ${unit === "usd" ? "USD" : unit}`;

const formatGrant = (granted) => Object.entries(granted).filter(([, amount]) => amount).map(([unit, amount]) => formatAmount(unit, amount)).join(", ");

const grantsEnd = () => (board.now.event_ends ? "until the event ends" : "until you take it back");

/** Lets a team use more, and offers to take that back. */
function grant(team, amounts) {
  return actOrUndo(`${team} may use ${formatGrant(amounts)} more ${grantsEnd()}.`, ["grant", { team, ...amounts }], ["take-back", { team, ...amounts }]);
}

function askGrant(name) {
  const team = board.now.teams.find((one) => one.name === name);
  const { unit } = findRaisable(team);
  const about = { label: "Grant", hint: unit === "usd" ? "US dollars" : unit, kind: "number", step: unit === "usd" ? "any" : "1" };
  const words = `It has used ${formatLimit(findRaisable(team))}. What you grant is added ${grantsEnd()}.`;
  askWords(`Grant ${name} more?`, words, about, (written) => { if (Number(written) > 0) grant(name, { [unit]: Number(written) }); });
}

/** Takes back all that a team was granted, and offers to grant it again. */
async function takeBack(team) {
  const told = await act("take-back", { team });
  if (!told) return;
  const amounts = Object.fromEntries(Object.entries(told).filter(([, amount]) => amount));
  notify(`${team} has the limits of the config again.`, "Undo", () => act("grant", { team, ...amounts }));
}
