"""One known way in which AWS or the CDK fails, and which of several explains a message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

TROUBLESHOOTING = "docs/how-to/troubleshoot-aws.md"

FORBIDDEN = r".*(explicit deny|control policy|boundary)"
"""How a message goes on when a policy forbids what it names: then the policy explains it."""


class Rank(IntEnum):
    """Which failure explains a message that several recognise: the one with the lowest rank."""

    SPECIFIC = 0
    """Its patterns are the sentences of one fault. No message may be recognised by two of these."""

    GENERAL = 1
    """Its patterns are the frame of many faults, such as `is not authorized to perform`."""

    CONSEQUENCE = 2
    """It only follows from another failure, and explains a run in which nothing else is said."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which AWS or the CDK fails.

    `patterns` are regular expressions, any of which identifies it: the services' own sentences in lower case,
    as services differ in capitals. Codes that faults share, such as `AlreadyExists`, `LimitExceeded` and
    `AccessDenied`, decide nothing. `docs` is the page where AWS explains it, if there is one.
    """

    id: str
    title: str
    patterns: tuple[str, ...]
    fix: str
    rank: Rank = Rank.SPECIFIC
    docs: str = ""

    @property
    def page(self) -> str:
        """Returns the entry of the documentation that explains it."""
        return f"{TROUBLESHOOTING}#{self.id}"

    def recognises(self, message: str) -> bool:
        """Returns whether a message says this."""
        lowered = message.lower()
        return any(re.search(pattern, lowered) for pattern in self.patterns)
