"""Reads the latest errors from the end of the access log, alike ones together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import PAUSED
from centralized_ml_api.local.usage.log_lines import find_object, read_tail
from centralized_ml_api.plan.usage.types import NOBODY, error_kind
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NAME_CHARACTERS = 128
_REFUSED, _OWN_ANSWER = "admission_refused:", "direct_response"


@record
class RecentError:
    """Calls of one team to one model that failed alike.

    `code` is the API's own code of the error, empty where the log has none; `from_model` says that the
    model's server answered so. `last` is in seconds since the epoch.
    """

    team: str
    model: str
    status: int
    code: str
    from_model: bool
    count: int
    last: float


def load_recent_errors(log: Path, since: float) -> tuple[RecentError, ...]:
    """Returns the errors since an instant, in seconds since the epoch, that the end of the log has.

    Of a log without a file there are none. The latest is the first.

    Raises:
        OSError: The log cannot be read.
    """
    return group_errors(read_tail(log), since)


def group_errors(lines: Iterable[bytes], since: float) -> tuple[RecentError, ...]:
    """Returns the errors of these lines since an instant, alike ones together, the latest first. Pure."""
    found: dict[tuple[str, str, int, str, bool], RecentError] = {}
    for line in lines:
        error = _parse_error(line)
        if error is None or error.last < since:
            continue
        kind = (error.team, error.model, error.status, error.code, error.from_model)
        known = found.get(kind)
        if known is not None:
            error = replace(error, count=known.count + 1, last=max(error.last, known.last))
        found[kind] = error
    return tuple(sorted(found.values(), key=lambda error: -error.last))


def _parse_error(line: bytes) -> RecentError | None:
    """Returns the error on a line; None where there is none, or where the line is not whole."""
    try:
        fields: dict[str, Any] = json.loads(find_object(line))
        status = int(fields.get("status") or 0)
        last = datetime.fromisoformat(fields["time"]).timestamp()
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    if error_kind(status) is None:
        return None
    details = str(fields.get("details") or "")
    said = str(fields.get("admission") or "")
    code = said.removeprefix(_REFUSED) if said.startswith(_REFUSED) else ""
    if details == _OWN_ANSWER and status == PAUSED.status and fields.get("model"):
        code = PAUSED.code  # the one error of an entry with this status that the route itself answers
    return RecentError(
        _name(fields.get("team")),
        _name(fields.get("model")),
        status,
        code,
        details == "via_upstream",
        1,
        last,
    )


def _name(value: Any) -> str:
    return str(value or NOBODY)[:_NAME_CHARACTERS]
