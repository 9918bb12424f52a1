"""What the page says above and below the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.scenarios.gateway.calls import ANSWER
from bench.scenarios.gateway.rounds import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.scenarios.gateway.peer import Peer

_METHOD = f"""\
The same call, passed on to the same model by each. The model is an nginx that answers at once with
{len(ANSWER)} bytes: what is measured is what stands before it. A gateway has core 0; the callers (wrk) and
the model have core 1. First {CONNECTIONS} callers at once, for calls a second, p50, p99 and processor time;
then one caller, whose calls follow one another. Processor time is that of all processes of a gateway. Calls
a CPU second are what a core passes on in a second in which it does nothing else.
"""

NOTES = """\
**Why it is not nine tenths of Envoy alone.** Envoy alone passes bytes. Ours also asks for a key, keeps
limits, holds an answer until it is complete, lets only the contract's headers pass, logs and counts. None of
these takes more than a tenth of a bare call; all of them together are a third of ours. What each costs, why
it stays and what was tried instead is in [the gateway](gateway.md#what-a-call-costs). Only a filter that is
compiled for Envoy would change it: machine code of our own for each platform. It is some 0.02 ms a call,
before models that take a thousand times as long.

**What it is compared with.** LiteLLM and MLflow read each body and each answer as OpenAI's and write them
anew, BentoML as JSON of its own types; the others pass bytes. BentoML and Ray Serve are model servers:
forwarding is what one writes when they are to stand before a model that runs elsewhere. Ray's processor time
includes that of its cluster's own processes. MLflow opens a connection to the model for every call.

**nginx is cheaper.** It has fewer of the features, and its keys and routes change only with a reload. But
Envoy alone, with none of them, takes more time than that: [why it is Envoy all the same](gateway.md)."""


def render_about(peers: Iterable[Peer]) -> str:
    """How it was measured, and what each of them is."""
    lines = [f"| {peer.name} | {peer.about} |" for peer in peers]
    return "\n".join([_METHOD, "| | |", "| --- | --- |", *lines])
