"""Lines of the access log as Envoy writes them, for tests that need many or odd ones."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
_NUMBERS = itertools.count()


def line(
    team: str | None = "red",
    model: str | None = "echo",
    status: int | None = 200,
    *,
    milliseconds: int | None = 10,
    at: datetime = NOON,
    **more: object,
) -> bytes:
    """One call, with an id that no other has; 3 bytes in and 5 out. `more` are fields."""
    fields = {
        "time": at.isoformat().replace("+00:00", "Z"),
        "request_id": f"req-{next(_NUMBERS)}",
        "team": team,
        "model": model,
        "status": status,
        "flags": "-",
        "milliseconds": milliseconds,
        "bytes_in": 3,
        "bytes_out": 5,
        **more,
    }
    return json.dumps(fields).encode() + b"\n"


def read_line(text: str) -> dict[str, Any]:
    """The call on a line that Envoy has written; tokens as numbers, which are texts there."""
    fields: dict[str, Any] = json.loads(text)
    for name in [name for name in fields if name.startswith("tokens_") and fields[name] is not None]:
        assert isinstance(fields[name], str)
        fields[name] = int(fields[name])
    return fields


def append(log: Path, *lines: bytes) -> None:
    """Adds to the log, which is made with its folder where it is missing."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        file.writelines(lines)
