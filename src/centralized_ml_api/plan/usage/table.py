"""The table of `mlapi usage` as text, for scripts and for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.token_prices import render_per_million
from centralized_ml_api.plan.columns import render_columns
from centralized_ml_api.plan.usage.tokens import render_usd
from centralized_ml_api.plan.usage.types import ERROR_KINDS, NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from centralized_ml_api.config.token_prices import TokenPrice
    from centralized_ml_api.plan.usage.tokens import Tokens
    from centralized_ml_api.plan.usage.types import Usage, UsageTable


_KIND_WORDS = {
    "refused": "refused",
    "limited": "over a limit",
    "client": "by the caller",
    "server": "by the server",
    "gone": "given up",
}
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000
_MINUTE = 60.0


def render_milliseconds(milliseconds: float | None) -> str:
    """Renders milliseconds, such as `12 ms`, `3.4 s`, `2.5 min`; `-` when unknown."""
    if milliseconds is None:
        return NOBODY
    if milliseconds < _THOUSAND:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / _THOUSAND
    return f"{seconds:.1f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.1f} min"


def render_bytes(number: int | None) -> str:
    """Renders bytes, such as `12 B`, `3.4 MB`; `-` when unknown."""
    if number is None:
        return NOBODY
    amount = float(number)
    for unit in _BYTE_UNITS[:-1]:
        if amount < _THOUSAND:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _THOUSAND
    return f"{amount:.1f} {_BYTE_UNITS[-1]}"


def render_minute(instant: datetime) -> str:
    """Renders an instant to the minute, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def render_errors(usage: Usage) -> str:
    """Renders errors by kind, such as `3 (2 over a limit, 1 by the server)`; `0` without any."""
    kinds = [f"{count} {_KIND_WORDS[kind]}" for kind, count in usage.errors_by_kind.items() if count]
    return f"{usage.errors} ({', '.join(kinds)})" if kinds else "0"


def render_tokens(number: int) -> str:
    """Renders a number of tokens, such as `12`, `3.4k`, `1.2M`."""
    amount = float(number)
    for unit in ("", "k", "M"):
        if amount < _THOUSAND:
            return f"{amount:.0f}" if not unit else f"{amount:.1f}{unit}"
        amount /= _THOUSAND
    return f"{amount:.1f}G"


_HEADER = ("TEAM", "MODEL", "REQUESTS", "ERRORS", "P50", "P95", "IN", "OUT", "FIRST (UTC)", "LAST (UTC)")
_HEADER_OF_TOKENS = ("TOKENS IN", "CACHED", "TOKENS OUT", "USD")
_LEGEND_OF_TOKENS = (
    "Tokens in include those that the model's server had in a cache. ~: in part estimated from bytes."
    " USD is -: no price is known, or it is 0."
)
_LEGEND = (
    "Team -: calls without a key. Model -: calls that reached no model, such as pages and unknown paths."
)


def render_usage(table: UsageTable) -> str:
    """Renders a line for each team and model, the totals, and what the columns mean."""
    if not table.rows and not table.spent:
        return "\n".join(["No calls yet.", *table.notes])
    last = ("total", "", str(table.requests), str(table.errors), "", "", "", "", "", "")
    lines = [_HEADER, *(_cells(row) for row in table.rows), last]
    legend = [_LEGEND]
    if table.tokens.total:
        legend.append(_LEGEND_OF_TOKENS)
    if table.tokens.total and not table.spent:
        cells = (_token_cells(row.tokens, is_priced=row.model in table.prices) for row in table.rows)
        tokens = (_HEADER_OF_TOKENS, *cells, _token_cells(table.tokens, is_priced=bool(table.prices)))
        lines = [(*line, *more) for line, more in zip(lines, tokens, strict=True)]
    return "\n".join([*render_columns(lines), *_spent(table), "", *legend, *_notes(table)])


def _spent(table: UsageTable) -> Iterable[str]:
    """Yields tokens in lines of their own, where they are counted apart from the calls."""
    if not table.spent:
        return
    lines = [
        (spent.team, spent.model, str(spent.calls), *_token_cells(spent.tokens, is_priced=False))
        for spent in table.spent
    ]
    last = ("total", "", "", *_token_cells(table.tokens, is_priced=False))
    yield from ("", *render_columns([("TEAM", "MODEL", "CALLS", *_HEADER_OF_TOKENS), *lines, last]))


def render_prices(prices: Mapping[str, TokenPrice]) -> Iterable[str]:
    """Yields a sentence about each price: what a million tokens cost, who says so, on which day."""
    for model, price in sorted(prices.items()):
        read, cached, written = map(render_per_million, (price.read, price.cached, price.written))
        yield (
            f"USD of {model}: {read} per million tokens in, {cached} cached, {written} out"
            f" (by {price.source})."
        )


def _token_cells(tokens: Tokens, *, is_priced: bool) -> tuple[str, ...]:
    mark = "~" if tokens.estimated else ""
    return (
        f"{mark}{render_tokens(tokens.read)}",
        render_tokens(tokens.cached),
        f"{mark}{render_tokens(tokens.written)}",
        f"{mark}{render_usd(tokens.nanodollars)}" if is_priced or tokens.nanodollars else NOBODY,
    )


def _notes(table: UsageTable) -> Iterable[str]:
    if table.since:
        yield f"Since {render_minute(table.since)} UTC, in whole hours."
    if table.days:
        day = max(team_day.day for team_day in table.days)
        counts = [f"{team_day.team} {team_day.requests}" for team_day in table.days if team_day.day == day]
        yield f"Counted towards the daily limits on {day} (UTC): {', '.join(counts)}."
    yield from render_prices(table.prices)
    yield from (f"Note: {note}." for note in table.notes)


def _cells(usage: Usage) -> tuple[str, ...]:
    return (
        usage.team,
        usage.model,
        str(usage.requests),
        render_errors(usage),
        render_milliseconds(usage.p50_milliseconds),
        render_milliseconds(usage.p95_milliseconds),
        render_bytes(usage.bytes_in),
        render_bytes(usage.bytes_out),
        render_minute(usage.first),
        render_minute(usage.last),
    )


_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    "team",
    "model",
    "requests",
    "errors",
    *ERROR_KINDS,
    "p50_milliseconds",
    "p95_milliseconds",
    "bytes_in",
    "bytes_out",
    "first",
    "last",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "tokens_estimated",
    "usd",
)


def usage_json(table: UsageTable) -> dict[str, Any]:
    """Returns what `render_usage` says, with each status; instants in RFC 3339 and UTC, None for unknowns."""
    return {
        "since": _instant(table.since) if table.since else None,
        "requests": table.requests,
        "errors": table.errors,
        **_plain_tokens(table.tokens),
        "rows": [_plain_row(row) for row in table.rows],
        "models": [
            {key: value for key, value in _plain_row(model).items() if key != "team"}
            for model in table.models
        ],
        "hours": [
            {"start": _instant(hour.start), "requests": hour.requests, "errors": hour.errors}
            for hour in table.hours
        ],
        "days": [
            {"team": team_day.team, "day": team_day.day.isoformat(), "requests": team_day.requests}
            for team_day in table.days
        ],
        "spent": [
            {"team": spent.team, "model": spent.model, "calls": spent.calls, **_plain_tokens(spent.tokens)}
            for spent in table.spent
        ],
        "prices": {model: _plain_price(price) for model, price in sorted(table.prices.items())},
        "notes": list(table.notes),
    }


def render_usage_csv(table: UsageTable) -> str:
    """Renders a header and a line for each team and model; unknown values are empty.

    A name that a spreadsheet would take for a formula gets an apostrophe in front.
    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in table.rows:
        names = {"team": _harmless(row.team), "model": _harmless(row.model)}
        kinds = {str(kind): count for kind, count in row.errors_by_kind.items()}
        writer.writerow({**_plain_row(row), **kinds, **names})
    return text.getvalue()


def _plain_row(usage: Usage) -> dict[str, Any]:
    return {
        "team": usage.team,
        "model": usage.model,
        "requests": usage.requests,
        "errors": usage.errors,
        "errors_by_kind": dict(usage.errors_by_kind),
        "statuses": {str(status): count for status, count in usage.statuses},
        "p50_milliseconds": _rounded(usage.p50_milliseconds),
        "p95_milliseconds": _rounded(usage.p95_milliseconds),
        "bytes_in": usage.bytes_in,
        "bytes_out": usage.bytes_out,
        "first": _instant(usage.first),
        "last": _instant(usage.last),
        **_plain_tokens(usage.tokens),
    }


def _plain_tokens(tokens: Tokens) -> dict[str, int | str]:
    return {
        "tokens_in": tokens.read,
        "tokens_cached": tokens.cached,
        "tokens_out": tokens.written,
        "tokens_estimated": tokens.estimated,
        "usd": f"{Decimal(tokens.nanodollars).scaleb(-9):f}",
    }


def _plain_price(price: TokenPrice) -> dict[str, str]:
    return {
        "input_per_million": render_per_million(price.read),
        "cached_input_per_million": render_per_million(price.cached),
        "output_per_million": render_per_million(price.written),
        "source": price.source,
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _harmless(name: str) -> str:
    return f"'{name}" if name != NOBODY and name.startswith(_FORMULA) else name
