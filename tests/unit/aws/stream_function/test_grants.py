"""The function that streams raises a team's limits by what organizers have granted it."""

from __future__ import annotations

from typing import Any

from support.stream_host.script import run_script

SCRIPT = """
import { Grants } from "./grants.mjs";
const asked = [];
let now = 0;
const read = async (team) => {
    asked.push([now, team]);
    return input.granted[team] ?? {};
};
const grants = new Grants(read, () => now);
const raised = [];
for (const [at, team, limits] of input.calls) {
    now = at;
    raised.push((await grants.raise(limits, team)).map(({ most }) => most));
}
console.log(JSON.stringify({ raised, asked }));
"""


def limit(owner: str, unit: str, period: str, most: int) -> dict[str, Any]:
    return {"owner": owner, "unit": unit, "period": period, "most": most}


RED = [
    limit("red", "tokens", "minute", 10),
    limit("red", "tokens", "day", 20),
    limit("red", "nanodollars", "event", 30),
    limit("", "nanodollars", "event", 40),
]


def raise_limits(granted: dict[str, Any], *calls: tuple[float, str, list[dict[str, Any]]]) -> Any:
    return run_script(SCRIPT, {"granted": granted, "calls": calls})


def test_days_and_the_event_are_raised_and_neither_rates_nor_the_pot() -> None:
    granted = {"red": {"tokens": 5, "nanodollars": 7, "holder": "team#red"}}
    assert raise_limits(granted, (0, "red", RED))["raised"] == [[10, 25, 37, 40]]
    assert raise_limits({}, (0, "red", RED))["raised"] == [[10, 20, 30, 40]]


def test_a_team_is_looked_up_every_five_seconds_at_most() -> None:
    calls = [(0, "red", RED), (4.9, "red", RED), (4.9, "blue", RED), (5, "red", RED)]
    assert raise_limits({}, *calls)["asked"] == [[0, "red"], [4.9, "blue"], [5, "red"]]


def test_where_nothing_can_be_raised_nothing_is_looked_up() -> None:
    rates = [RED[0], RED[3]]
    assert raise_limits({}, (0, "red", rates), (0, "blue", [])) == {"raised": [[10, 40], []], "asked": []}
