"""Decides who may call, and how often."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """A token bucket: it gains `rate` tokens per second and holds `burst`."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    filled: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self.filled = self.burst, time.monotonic()

    def take(self) -> bool:
        """Takes a token; returns whether there was one."""
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class Team:
    """A team; its callers share a bucket."""

    name: str
    bucket: Bucket


class Teams:
    """Teams by the digests of their keys; the keys themselves are not stored."""

    def __init__(self, names_by_key: dict[str, str], rate: float, burst: float) -> None:
        self._by_digest = {
            _digest(key.encode()): Team(name, Bucket(rate, burst)) for key, name in names_by_key.items()
        }

    def find(self, key: bytes) -> Team | None:
        """Returns the team with this key."""
        return self._by_digest.get(_digest(key))


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
