"""How programs of this machine call what listens on loopback."""

from __future__ import annotations

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost"})
"""The names, `Host` without the port: any other that leads here is DNS rebinding."""
