"""How many files, sockets and pipes this process and those that it starts may have open."""

from __future__ import annotations

import contextlib
import resource

ENOUGH = 10_240
"""More than the calls that the gateway takes at once, and no more than macOS allows; a shell often has 1024
or 256. Without a bound it could be a thousand million, and some programs try to close as many."""


def most_descriptors() -> int:
    """The hard limit, up to which a process raises its own: Envoy does as it starts."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def raise_descriptors() -> None:
    """Raises the soft limit of this process to `ENOUGH`, or as near as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # what it has will do
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
