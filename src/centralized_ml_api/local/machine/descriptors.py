"""Raises the number of files, sockets and pipes that this process and its children may have open."""

from __future__ import annotations

import contextlib
import resource

ENOUGH = 10_240
"""More than the gateway needs for its calls, and no more than macOS allows; shells often allow 256 or 1024.
It is bounded because the hard limit can be a thousand million, and some programs try to close that many."""


def most_descriptors() -> int:
    """Returns the hard limit, to which a process may raise its own, as Envoy does when it starts."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def raise_descriptors() -> None:
    """Raises the soft limit of this process to `ENOUGH`, or as near to it as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        with contextlib.suppress(ValueError, OSError):  # it goes on with the limit that it has
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
