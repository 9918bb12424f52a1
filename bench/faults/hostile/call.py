"""What a hostile call is, and which outcome is right. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
OK, BAD, FORBIDDEN, LATE, TOO_LARGE, WRONG_TYPE, TOO_MANY, HEADERS, BUSY = (
    *(200, 400, 403, 408, 413),
    *(415, 429, 431, 503),
)
CLOSED = 0
"""The connection was closed without a response."""

GONE = -1
"""The caller hung up, as planned."""

KEY = b"{the key}"
"""What the team's key replaces in a `beginning`."""

REFUSED = frozenset({BAD})
SERVED = frozenset({OK})
FOR_LATER = frozenset({TOO_MANY, BUSY})
"""Right for every call while others of the team are under way, if the answer says when to try again."""

Judge = Callable[[Any], str]
"""Says what is wrong with the JSON of a 200; empty if nothing is."""


def _take_all(_: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class HostileCall:
    """One hostile call, or several of a kind at once.

    Attributes:
        name: Names it in reports and tests.
        tries: What its caller wants, or does without noticing.
        right: The statuses that are right, `CLOSED` and `GONE` among them.
        path: Where it goes.
        build_body: Builds the body; the same every time.
        headers: Besides the key.
        judge: Says what is wrong with a 200.
        copies: How many are sent at once.
        hang_up_ms: The caller hangs up so long after it has connected; None if it waits.
        chunked: Sent in chunks, without a length.
        beginning: Sent raw instead of all this, and nothing after it; empty for a connection that is silent.
        has_key: Whether the team's key goes with it.
        lasts_seconds: About how long the right outcome takes, where it is slow.
    """

    name: str
    tries: str
    right: frozenset[int] = REFUSED
    path: str = "/chat"
    build_body: Callable[[], bytes] = lambda: b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": JSON})
    judge: Judge = _take_all
    copies: int = 1
    hang_up_ms: int | None = None
    chunked: bool = False
    beginning: bytes | None = None
    has_key: bool = True
    lasts_seconds: float = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call: its status, `CLOSED` or `GONE`, and its body."""

    status: int
    body: bytes = b""
    retry_after: str = ""

    @property
    def is_for_later(self) -> bool:
        """Whether the caller was told when to try again."""
        return self.status in FOR_LATER and bool(self.retry_after)


def find_fault(call: HostileCall, outcome: Outcome, *, alone: bool) -> str:
    """Says what is wrong with an outcome; empty if nothing is.

    Args:
        call: What was sent.
        outcome: What became of it.
        alone: Whether the team had no other calls under way.
    """
    if outcome.is_for_later and not alone:
        return ""
    if outcome.status not in call.right:
        return f"{outcome.status} instead of {sorted(call.right)}: {outcome.body[:200]!r}"
    if outcome.status == OK:
        return call.judge(json.loads(outcome.body)) if outcome.body.startswith(b"{") else ""
    return ""


def build_json(document: Any) -> Callable[[], bytes]:
    """Returns a function that builds a body with this document."""
    return lambda: json.dumps(document).encode()
