"""How many clients fit into the file descriptors that a process may open here.

Without any left Envoy reaches no model, and answers every call of every client with a 503: better a few
clients are turned away than all.
"""

from __future__ import annotations

import resource

RESERVED = 64
"""For what is open without a client: some 40, and a few for connections that are being refused."""

PER_CLIENT = 3
"""Its own connection, one to the model, and one that rests, to the model it called before."""


def fit_connections(wanted: int, most_descriptors: int) -> int:
    """How many clients at once may connect, `wanted` of them at most. Pure."""
    if most_descriptors == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, max(1, (most_descriptors - RESERVED) // PER_CLIENT))
