"""Renders `docs/explanation/performance.md` and its drawings from the stored results alone."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from bench.catalogue import load_scenario, scenario_names
from bench.drawing import render_bars
from bench.keeping import load_result
from bench.table import format_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bench.scenario import Scenario

PAGE = "docs/explanation/performance.md"
_DRAWINGS = "docs/img/bench"
_GOAL_HEADINGS = ("", "measured", "goal", "")
_INTRODUCTION = """\
# How fast it is

`make bench` measured every number on this page together with its comparison, in the same run on the same
machine. A ratio is the median over the rounds of the ratios within one round, so other load on the
machine affects both sides. Seconds and calls per second depend on the machine; on yours they will differ,
but the ratios should be similar.

`make bench BENCH=NAME` repeats one section, and `make docs` writes this page from the
[stored results](../../bench/results). [The README of bench](../../bench/README.md) describes the method,
and what is pinned to which core.
"""


def render_page() -> str:
    """Renders all sections that have stored results."""
    kept = [(name, load_scenario(name), result) for name in scenario_names() if (result := load_result(name))]
    goals = chain.from_iterable(_goal_lines(name, scenario, result) for name, scenario, result in kept)
    sections = [_render_section(name, scenario, result) for name, scenario, result in kept]
    return "\n".join([_INTRODUCTION, "## Goals and results\n", *_goal_table(goals), "", *sections])


def render_quote() -> str:
    """Renders the README's table: the goals that the scenarios quote, with their results."""
    kept = [(load_scenario(name), result) for name in scenario_names() if (result := load_result(name))]
    lines = [
        _goal_line({**goal, "name": scenario.quoted[goal["name"]]})
        for scenario, result in kept
        for goal in result["goals"]
        if goal["name"] in scenario.quoted
    ]
    return "\n".join(_render_table(_GOAL_HEADINGS, lines)) + "\n"


def render_drawings() -> dict[str, Callable[[], str]]:
    """Returns functions that render the drawings, by path in the repository."""
    return {
        f"{_DRAWINGS}-{name}.svg": partial(_draw, name)
        for name in scenario_names()
        if load_scenario(name).plot and load_result(name)
    }


def _draw(name: str) -> str:
    plot, result = load_scenario(name).plot, load_result(name)
    if not plot or not result:
        raise ValueError(f"{name} has no drawing")
    bars = [
        (str(row[plot.label]), float(row[plot.value]))
        for row in result["rows"]
        if row[plot.value] is not None
    ]
    return render_bars(plot.title, bars)


def _goal_table(lines: Iterable[Sequence[str]]) -> list[str]:
    return _render_table(_GOAL_HEADINGS, list(lines))


def _goal_lines(name: str, scenario: Scenario, result: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    """Yields a line for the scenario, then one for each goal."""
    yield [f"**[{scenario.title}](#{_anchor(scenario.title)})**", "", "", f"`{name}`"]
    yield from (_goal_line(goal) for goal in result["goals"])


def _goal_line(goal: Mapping[str, Any]) -> Sequence[str]:
    promised = f"{goal['side']} {format_value(goal['goal'])}"
    return [goal["name"], format_value(goal["value"]), promised, "met" if goal["met"] else "**missed**"]


def _render_section(name: str, scenario: Scenario, result: Mapping[str, Any]) -> str:
    parts = [f"## {scenario.title}", scenario.about]
    if scenario.plot:
        parts.append(f"![{scenario.plot.title}](../img/bench-{name}.svg)")
    rows = result["rows"]
    parts.append(
        "\n".join(
            _render_table(list(rows[0]), [[format_value(cell) for cell in row.values()] for row in rows])
        )
    )
    return (
        "\n\n".join(
            [*parts, *([scenario.notes] if scenario.notes else []), _render_circumstances(name, result)]
        )
        + "\n"
    )


def _render_circumstances(name: str, result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    versions = ", ".join(f"{what} {version}" for what, version in result["versions"].items())
    return (
        f"{result['date']}, {_count(result['rounds'])}, {machine['processor']}, {machine['cores']} cores, "
        f"{machine['system']}; {versions}. Full results: [{name}.json](../../bench/results/{name}.json)."
    )


def _count(rounds: int) -> str:
    return "1 round" if rounds == 1 else f"{rounds} rounds"


def _render_table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Renders a Markdown table; the first column is left-aligned."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *lines)]


def _anchor(title: str) -> str:
    """Returns GitHub's anchor for a heading of letters, digits, spaces, commas and dashes."""
    return "".join(sign for sign in title.lower().replace(" ", "-") if sign.isalnum() or sign == "-")
