"""Renders `mlapi status --watch`: the screen, and lines where there is no terminal. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from centralized_ml_api.api.event_end import render_end, render_left
from centralized_ml_api.api.event_start import render_start
from centralized_ml_api.cli.output import counted
from centralized_ml_api.cli.verbs.watch.rows import choose_rows
from centralized_ml_api.plan.event import POT, Unit
from centralized_ml_api.plan.usage.tokens import render_usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.cli.verbs.watch.rows import ModelRow, TeamRow
    from centralized_ml_api.local.status import LocalStatus

UNKNOWN = "-"
_STYLES = {"ready": "green", "failed": "bold red", "unready": "red", "not served": "dim", "asleep": "dim"}
_OTHER_STATE = "yellow"
_NUMBERS = ("up", "restarts", "req/s", "err/s", "p50 ms", "p95 ms", "tok/s", "active", "waiting")
_UNITS: dict[Unit, str] = {"tokens": "tokens left", "nanodollars": "USD left"}
_MOST_TEAMS = 10
_FRAME_LINES = 4
"""The empty lines above and below the models, their titles, the last line."""


def build_screen(
    status: LocalStatus,
    models: Sequence[ModelRow],
    teams: Sequence[TeamRow],
    now: datetime,
    height: int = 1000,
) -> Group:
    """Returns the whole screen; names are shown as they are, never as markup.

    Args:
        status: Of the local target.
        models: A row for each path.
        teams: Those near a limit, or with limits in tokens or dollars.
        now: The present instant.
        height: Of the terminal, in lines.
    """
    head = [Text(line, overflow="ellipsis", no_wrap=True) for line in _head(status, now)]
    below: list[Text | Table] = [Text(), _teams(teams)] if teams else []
    team_lines = min(len(teams), _MOST_TEAMS + 1) + 2 if teams else 0  # an empty line and titles before them
    taken = len(head) + _FRAME_LINES + team_lines
    shown = choose_rows(models, height - taken)
    hidden = len(models) - len(shown)
    last = Text(f"and {counted(hidden, 'more model')}; q leaves" if hidden else "q leaves", style="dim")
    return Group(*head, Text(), _models(shown), *below, Text(), last)


def render_model(row: ModelRow) -> str:
    """Returns one line, for logs and pipes."""
    pace = [f"{name} {value}" for name, value in zip(_NUMBERS, _numbers(row), strict=True) if value]
    return ", ".join((f"{row.name}: {row.state}", *pace))


def render_team(row: TeamRow) -> str:
    """Returns one line, for logs and pipes."""
    rate, most, refused, today, quota, _ = _team_numbers(row)
    left = "".join(f", {name} {value}" for name, value in _list_left(row, _UNITS))
    name = row.title if row.limit.name == POT else f"team {row.limit.name}"
    return f"{name}: req/s {rate} of {most}, refused/s {refused}, today {today} of {quota}{left}"


def _head(status: LocalStatus, now: datetime) -> Iterable[str]:
    since = now - datetime.fromtimestamp(status.started, UTC)
    yield f"{status.address or '(starting)'}  for {render_left(since)}  {status.config}"
    if status.starts:
        yield render_start(datetime.fromisoformat(status.starts), now)
    if status.ends:
        yield render_end(datetime.fromisoformat(status.ends), now)
    if status.gateway_trouble:
        yield f"gateway: {status.gateway_trouble}"
    if status.unapplied:
        yield status.unapplied.sentence


def _models(rows: Iterable[ModelRow]) -> Table:
    table = _table("model", "state", *_NUMBERS)
    for row in rows:
        state = Text(row.state, style=_STYLES.get(row.state, _OTHER_STATE))
        table.add_row(_name(row.name), state, *map(Text, _numbers(row)))
    return table


def _numbers(row: ModelRow) -> list[str]:
    pace = row.pace
    tokens = pace.tokens_per_second if pace else None
    traffic = [
        _rate(pace.requests_per_second if pace else None),
        _rate(pace.errors_per_second if pace else None),
        _whole(pace.p50_milliseconds if pace else None),
        _whole(pace.p95_milliseconds if pace else None),
        "" if tokens is None else _whole(tokens),
    ]
    return [row.ready, str(row.restarts), *traffic, _whole(row.in_flight), _whole(row.waiting)]


def _teams(rows: Sequence[TeamRow]) -> Table:
    units = [unit for unit in _UNITS if any(row.least_left(unit) is not None for row in rows)]
    first = "team" if units else "team near a limit"
    table = _table(first, "req/s", "of", "refused/s", "today", "of", "", *(_UNITS[unit] for unit in units))
    for row in rows[:_MOST_TEAMS]:
        left = dict(_list_left(row, units))
        lefts = [left.get(_UNITS[unit], UNKNOWN) for unit in units]
        table.add_row(_name(row.title), *map(Text, (*_team_numbers(row), *lefts)))
    if len(rows) > _MOST_TEAMS:
        table.add_row(Text(f"and {len(rows) - _MOST_TEAMS} more"))
    return table


def _list_left(row: TeamRow, units: Iterable[Unit]) -> list[tuple[str, str]]:
    """Returns (name, number) of what is left of each unit of which the row has a limit."""
    lefts = ((unit, row.least_left(unit)) for unit in units)
    return [
        (_UNITS[unit], f"{left:,}" if unit == "tokens" else render_usd(left))
        for unit, left in lefts
        if left is not None
    ]


def _team_numbers(row: TeamRow) -> list[str]:
    limit = row.limit
    return [
        _rate(row.pace.requests_per_second),
        UNKNOWN if limit.requests_per_second is None else f"{limit.requests_per_second:g}",
        _rate(row.pace.refused_per_second),
        _whole(limit.used_today),
        _whole(limit.requests_per_day),
        f"{row.share:.0%}",
    ]


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column(first, min_width=8)  # alone without `no_wrap`: it gives way to the others
    for name in others:
        table.add_column(name, justify="left" if name == "state" else "right", no_wrap=True)
    return table


def _name(name: str) -> Text:
    return Text(name, overflow="ellipsis", no_wrap=True)


def _rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def _whole(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"
