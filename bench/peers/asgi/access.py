"""Who may call, and how often."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """A token bucket: `rate` tokens a second come in, `burst` fit."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    filled: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self.filled = self.burst, time.monotonic()

    def take(self) -> bool:
        """Whether there was a token."""
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class Team:
    """Whoever has one of its keys."""

    name: str
    bucket: Bucket


class Teams:
    """Teams by the digests of their keys: the keys themselves are not kept."""

    def __init__(self, names_by_key: dict[str, str], rate: float, burst: float) -> None:
        self._by_digest = {
            _digest(key.encode()): Team(name, Bucket(rate, burst)) for key, name in names_by_key.items()
        }

    def find(self, key: bytes) -> Team | None:
        """The team with this key."""
        return self._by_digest.get(_digest(key))


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
