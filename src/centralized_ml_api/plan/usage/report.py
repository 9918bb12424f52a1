"""The report after an event, in Markdown, for people who were not there. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.plan.usage.table import (
    render_bytes,
    render_errors,
    render_milliseconds,
    render_minute,
    render_prices,
)
from centralized_ml_api.plan.usage.tokens import render_usd
from centralized_ml_api.plan.usage.types import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.plan.usage.tokens import Tokens
    from centralized_ml_api.plan.usage.types import Usage, UsageTable

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_PLAIN = frozenset("-.,:%")


def render_report(table: UsageTable, *, plot: str, money: Sequence[str]) -> str:
    """Renders the whole page.

    Args:
        table: The calls.
        plot: The address of the drawing, relative to the page.
        money: What is known about the cost, one sentence each.
    """
    if not table.rows:
        return "# Report\n\nNobody called.\n"
    sections = [
        f"# Report, {_period(table)}",
        _bullets(_headlines(table)),
        f"![Calls over time](<{plot}>)",
        "## Teams",
        _table(("Team", "Requests", "Errors", "Models", "In", "Out"), _teams(table)),
        "## Models",
        _table(("Model", "Requests", "Errors", "P50", "P95", "In", "Out"), map(_model, table.models)),
        *_tokens(table),
        "## Cost",
        _bullets((*_token_money(table), *money)),
        *_about(table),
    ]
    return "\n\n".join(sections) + "\n"


def escape_markdown(text: str) -> str:
    """Escapes text for any place of a Markdown page: nothing in it is markup, a link or HTML.

    Any ASCII punctuation may be escaped by a backslash.
    Source: https://spec.commonmark.org/0.31.2/#backslash-escapes
    """
    line = " ".join(text.split())
    return _PUNCTUATION.sub(lambda found: found[0] if found[0] in _PLAIN else f"\\{found[0]}", line)


def _about(table: UsageTable) -> Sequence[str]:
    notes = [f"{escape_markdown(note)}." for note in table.notes]
    return ("## The numbers", _bullets(notes)) if notes else ()


def _period(table: UsageTable) -> str:
    first, last = min(row.first for row in table.rows), max(row.last for row in table.rows)
    return f"{render_minute(first)} to {render_minute(last)} UTC"


def _headlines(table: UsageTable) -> Iterable[str]:
    yield f"**{table.requests:,} calls**, {table.errors:,} of them failed ({_share(table)})."
    teams = table.teams
    noun = "team" if len(teams) == 1 else "teams"
    yield f"**{len(teams)} {noun}** called." if teams else "No call had a key, so the callers are unknown."
    busiest = max(table.hours, key=lambda hour: hour.requests, default=None)
    if busiest:
        yield f"Busiest hour: **{render_minute(busiest.start)}**, {busiest.requests:,} calls."
    models = [usage for usage in table.models if usage.model != NOBODY]
    if models:
        yield _most_called(max(models, key=lambda model: model.requests))
    slow = [model for model in models if model.p95_milliseconds is not None]
    if slow:
        yield _slowest(max(slow, key=lambda model: model.p95_milliseconds or 0))


def _most_called(model: Usage) -> str:
    return f"Most called: **{escape_markdown(model.model)}**, {model.requests:,} calls."


def _slowest(model: Usage) -> str:
    found = render_milliseconds(model.p95_milliseconds)
    return f"Slowest: **{escape_markdown(model.model)}**, 95 of 100 calls took {found} or less."


def _share(table: UsageTable) -> str:
    return f"{table.errors / table.requests:.1%}"


def _teams(table: UsageTable) -> Iterable[tuple[str, ...]]:
    for team in sorted({row.team for row in table.rows}):
        rows = [row for row in table.rows if row.team == team]
        names = [row.model for row in rows if row.model != NOBODY]
        yield (
            team if team != NOBODY else "(without a key)",
            f"{sum(row.requests for row in rows):,}",
            f"{sum(row.errors for row in rows):,}",
            ", ".join(names) or NOBODY,
            render_bytes(_sum_in(rows)),
            render_bytes(sum(row.bytes_out for row in rows)),
        )


def _sum_in(rows: Sequence[Usage]) -> int | None:
    known = [row.bytes_in for row in rows if row.bytes_in is not None]
    return sum(known) if known else None


def _model(usage: Usage) -> tuple[str, ...]:
    return (
        usage.model if usage.model != NOBODY else "(no model: pages, unknown paths)",
        f"{usage.requests:,}",
        render_errors(usage),
        render_milliseconds(usage.p50_milliseconds),
        render_milliseconds(usage.p95_milliseconds),
        render_bytes(usage.bytes_in),
        render_bytes(usage.bytes_out),
    )


def _tokens(table: UsageTable) -> Sequence[str]:
    """Returns the section of tokens by team and model, if any were counted."""
    if not table.tokens.total:
        return ()
    rows = [
        (found.team, found.model, f"{found.calls:,}", *_token_cells(found.tokens))
        for found in table.tokens_by_model
    ]
    last = ("total", "", "", *_token_cells(table.tokens))
    header = ("Team", "Model", "Requests", "In", "Cached", "Out", "Estimated", "USD")
    return ("## Tokens", _table(header, [*rows, last]))


def _token_money(table: UsageTable) -> Iterable[str]:
    """Yields what all tokens cost, and by which prices."""
    if table.prices or table.tokens.nanodollars:
        yield f"Tokens: **{render_usd(table.tokens.nanodollars)} USD**."
    yield from map(escape_markdown, render_prices(table.prices))


def _token_cells(tokens: Tokens) -> tuple[str, ...]:
    counts = (tokens.read, tokens.cached, tokens.written)
    share = f"{tokens.estimated / (tokens.total or 1):.0%}"
    return (*(f"{count:,}" for count in counts), share, render_usd(tokens.nanodollars))


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *(tuple(map(escape_markdown, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
