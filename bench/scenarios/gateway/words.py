"""What the page says above and below the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.scenarios.gateway.calls import ANSWER
from bench.scenarios.gateway.rounds import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.scenarios.gateway.peer import Peer

_METHOD = f"""\
Each gateway passes the same call to the same model. The model is an nginx that answers immediately with
{len(ANSWER)} bytes, so the gateway in front of it is what is measured. All processes of a gateway run on
core 0; the callers (wrk) and the model run on core 1. First, {CONNECTIONS} concurrent callers give calls per
second, p50, p99 and processor time; then a single caller makes one call after another. Then callers and model
move to core 0, too. Gateways are compared by the processor time of a call there, "on one core", as a multiple
of what it costs an Envoy that only proxies. That Envoy runs beside each gateway, and the two are called in
turn, for a second each. In the row of Envoy alone it is compared with itself, which shows how precise this
is. Processor time includes all processes of a gateway. "Calls per CPU second" is what one core could pass on
in a second if it did nothing else.
"""

NOTES = """\
**What Envoy alone does not do.** It only passes bytes. Our gateway also checks a key, enforces limits, holds
a response until it is complete, filters headers, logs and counts.
[The gateway](gateway.md#what-a-call-costs) explains what each of these costs, why it stays, and what we tried
instead. The goals are multiples on one core: of Envoy alone, and no more than vllm-router, which has none of
these features; what reading `model` in a body may add; and what a hosted model may add to that.

**Why we miss the first two.** A week before, a call took 39 µs here, where Envoy alone took 31. Most of
what came since was a connection to the model for each call: servers of known products have kept ones again
([decision 0041](../decisions/0041-kept-connections.md)), which brought 132 µs down to 57. The rest is the
counting of tokens: above all, what scripts note of a call and what the log and the statistics read of that.
[The gateway](gateway.md#what-a-call-costs) counts each part, says what was tried, and what would change it.
Nothing else ran beside the stored run.

**What a hosted model needs.** The gateway writes the provider's name of the model into the body, bounds the
answer, adds the key, and counts tokens, by scripts in Envoy. A body that is not plain, such as one with a key
twice, goes to the admission service first, a process in Python that reads it as strictly as every provider
might: that takes several times the gateway's own share, and so do limits in tokens or dollars.

**The alternatives.** vllm-router reads the body, to choose a worker, and passes it on. Portkey's gateway,
TensorZero, LiteLLM and MLflow parse each body and each response as OpenAI's and write them again; BentoML
does the same with JSON of its own types. The others pass bytes. BentoML and Ray Serve are model servers: to
put them in front of a model that runs elsewhere, one writes code that forwards calls. Ray's processor time
includes its cluster's own processes, which also slow the Envoy beside it: its multiple is too low. MLflow
opens a new connection to the model for every call.

**Who is missing.** Only programs that PyPI, npm or Debian have are compared. Bifrost's package on npm has no
gateway but downloads one from elsewhere when it starts. agentgateway is in none of them: the package of that
name on PyPI is another program. Agent Router, once Envoy AI Gateway, is on PyPI in
`theagentrouter-local-gateway`; it listens on every address of the machine, and this bench on loopback alone.

**nginx is cheaper.** It has fewer of the features, and its keys and routes change only with a reload. Even
without any of these features, Envoy takes more time than nginx.
[Here is why we still use Envoy](gateway.md)."""


def render_about(peers: Iterable[Peer]) -> str:
    """Renders the method, and a table of the gateways."""
    lines = [f"| {peer.name} | {peer.about} |" for peer in peers]
    return "\n".join([_METHOD, "| | |", "| --- | --- |", *lines])
