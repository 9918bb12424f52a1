"""Numbers and instants of usage as a reader likes them. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from centralized_ml_api.plan.usage.types import NOBODY

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.plan.usage.types import Usage

_KIND_WORDS = {
    "refused": "refused",
    "limited": "over a limit",
    "client": "by the caller",
    "server": "of the server",
    "gone": "given up",
}
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000
_MINUTE = 60.0


def say_milliseconds(milliseconds: float | None) -> str:
    """Such as `12 ms`, `3.4 s`, `2.5 min`; `-` where it is not known."""
    if milliseconds is None:
        return NOBODY
    if milliseconds < _THOUSAND:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / _THOUSAND
    return f"{seconds:.1f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.1f} min"


def say_bytes(number: int | None) -> str:
    """Such as `12 B`, `3.4 MB`; `-` where it is not known."""
    if number is None:
        return NOBODY
    amount = float(number)
    for unit in _BYTE_UNITS[:-1]:
        if amount < _THOUSAND:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _THOUSAND
    return f"{amount:.1f} {_BYTE_UNITS[-1]}"


def say_instant(instant: datetime) -> str:
    """To the minute, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def say_errors(usage: Usage) -> str:
    """Such as `3 (2 over a limit, 1 of the server)`; `0` without any."""
    kinds = [f"{count} {_KIND_WORDS[kind]}" for kind, count in usage.errors_by_kind.items() if count]
    return f"{usage.errors} ({', '.join(kinds)})" if kinds else "0"
