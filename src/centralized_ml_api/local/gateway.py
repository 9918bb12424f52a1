"""What the gateway serves, as data: the interface between the supervisor and Envoy.

The supervisor decides these from the plan and from which servers are ready; `envoy/` translates them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.plan.event import Throttle


@dataclass(frozen=True, slots=True)
class Upstream:
    """A group of equal servers on this machine: `ports` on 127.0.0.1 that are ready now, maybe none."""

    name: str
    ports: tuple[int, ...]

    @property
    def origins(self) -> tuple[str, ...]:
        """The addresses that take plain calls now."""
        return tuple(f"http://127.0.0.1:{port}" for port in self.ports)


@dataclass(frozen=True, slots=True)
class Signing:
    """Calls are signed for SageMaker in `region`, with what is in the file `credentials`.

    The file, alone in its folder, has the form of AWS's own with the profile `default`; it must be there
    before the gateway hears of it, and may be replaced at any time.
    """

    region: str
    credentials: Path


@dataclass(frozen=True, slots=True)
class ExternalUpstream:
    """One server elsewhere, reached by name; with `signing` it is SageMaker's runtime API."""

    name: str
    host: str
    port: int
    tls: bool
    ready: bool = True
    signing: Signing | None = None

    @property
    def origins(self) -> tuple[str, ...]:
        """The addresses that take plain calls now: none while it is not ready."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (f"{'https' if self.tls else 'http'}://{host}:{self.port}",) if self.ready else ()


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """`POST /{name}` goes to `upstream`.

    `rewrite` is the path there; None keeps path and query (functions read them). `headers` are the request
    headers that pass besides Content-Type and Accept; None lets everything pass and the answer's headers too
    (a function sees what API Gateway would show it and sets its own). `streams` lifts the gateway's timeout.
    `reads_json` is for a server that takes every body for JSON: it is told so, whatever the caller said.
    """

    name: str
    upstream: str
    rewrite: str | None
    headers: tuple[str, ...] | None
    streams: bool = False
    reads_json: bool = False


@dataclass(frozen=True, slots=True)
class RefusedRoute:
    """`POST /{name}` answers 501 with this message."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class TeamAccess:
    """One team: its keys of now (maybe none), the entries it may call (None for all), its limits, if any."""

    name: str
    keys: tuple[str, ...] = field(repr=False)
    models: tuple[str, ...] | None = None
    throttle: Throttle | None = None
    requests_per_day: int | None = None

    def may_call(self, entry: str) -> bool:
        """Whether the team may call that entry."""
        return self.models is None or entry in self.models


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many calls each team that has a daily quota may still make until `resets`."""

    resets: datetime
    left: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything the gateway must know.

    `unready`: (name, reason) of entries that cannot answer now. `chat` and `embeddings`: what calls of the
    OpenAI-compatible paths go to, by the `model` in their body, listed in this order. Every answer names the
    instant `ends`. `documents` are what the API tells about itself.

    With `teams`, every call needs a key of one of them; without, everybody may call. `throttle` is for all
    calls together, None for no limit. `quotas` were counted at some moment, and the gateway goes on counting
    by itself: other ones make it forget that.
    """

    upstreams: tuple[Upstream | ExternalUpstream, ...]
    routes: tuple[ServedRoute | RefusedRoute, ...]
    unready: tuple[tuple[str, str], ...] = ()
    chat: tuple[ServedRoute, ...] = ()
    embeddings: tuple[ServedRoute, ...] = ()
    ends: datetime | None = None
    documents: tuple[ServedDocument, ...] = ()
    teams: tuple[TeamAccess, ...] = ()
    throttle: Throttle | None = None
    quotas: Quotas | None = None
