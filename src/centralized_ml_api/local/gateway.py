"""Describes what the gateway serves, as data: the contract between `run/` and `envoy/`.

`run/compose.py` builds it from the plan and the servers that are ready; `envoy/` translates it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Literal

from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.api.notices import SILENCE, Message
from centralized_ml_api.api.openai import ListedModel
from centralized_ml_api.config.schema import ServerSpeaks
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.plan.apis import ServerApi
from centralized_ml_api.plan.event import UNLIMITED, Spending, Throttle
from centralized_ml_api.record import record

JOIN_PROOF_HEADER = "x-mlapi-door"
JOIN_ADDRESS_HEADER = "x-mlapi-address"
"""The headers by which the gateway tells the door that it asks, and for whom; no caller sets them."""


DOOR_TEAM_HEADER = "x-mlapi-callers-team"
DOOR_CALLER_HEADER = "x-mlapi-caller"
DOOR_MODEL_HEADER = "x-mlapi-model"
DOOR_HOST_HEADER = "x-mlapi-host"
"""The headers by which the gateway tells who asks to be answered later, from where, of which model and host.

The translator is told the first two by the same names.
"""


@record
class Upstream:
    """A group of equal servers on this machine.

    Attributes:
        name: Its name.
        ports: The ports of 127.0.0.1 that are ready now, maybe none.
        keeps_connections: Whether a connection takes another call after an answer; if the servers may close
            it unannounced, the next call would meet its end.
    """

    name: str
    ports: tuple[int, ...]
    keeps_connections: bool = True

    @property
    def has_file(self) -> bool:
        """Whether the gateway watches a file of its own for it, with its ports."""
        return True

    @property
    def origins(self) -> tuple[str, ...]:
        """The URLs that take plain calls now."""
        return tuple(f"http://127.0.0.1:{port}" for port in self.ports)


@record
class Signing:
    """How calls are signed for a service of AWS: for `region`, with the keys in the file `credentials`.

    The file is alone in its folder and has the form of AWS's credentials file, with the profile `default`. It
    must exist before the gateway hears of it, and may be replaced at any time.
    """

    region: str
    credentials: Path
    service: Literal["sagemaker", "bedrock"] = "sagemaker"


@record
class ProviderAccess:
    """How calls of a provider are let in: by the key in the file `key`, in the request header `header`.

    `prefix` precedes the key there; `headers` are others that its API needs. The file is alone in its folder,
    and is one of Envoy's own (a secret, see `envoy/provider_key.py`). It must exist before the gateway hears
    of it, and may be replaced at any time. Without a file, the server takes calls without a key.
    """

    header: str
    prefix: str
    key: Path | None
    headers: tuple[tuple[str, str], ...] = ()


@record
class ExternalUpstream:
    """One server elsewhere, reached by its host name.

    With `signing` it is a runtime API of AWS, with `provider` that of a provider: both keep connections.
    Every other one may have `keeps_connections`, like an `Upstream`.
    """

    name: str
    host: str
    port: int
    tls: bool
    ready: bool = True
    signing: Signing | None = None
    provider: ProviderAccess | None = None
    keeps_connections: bool = False

    @property
    def has_file(self) -> bool:
        """Whether the gateway watches a file of its own for it, with a key."""
        return self.signing is not None or (self.provider is not None and self.provider.key is not None)

    @property
    def is_sagemaker(self) -> bool:
        """Whether it is SageMaker's runtime API, whose errors have their own form."""
        return self.signing is not None and self.signing.service == "sagemaker"

    @property
    def is_provider(self) -> bool:
        """Whether a provider or Bedrock is behind it."""
        return self.provider is not None or (self.signing is not None and not self.is_sagemaker)

    @property
    def origins(self) -> tuple[str, ...]:
        """The URL that takes plain calls now; none while the server is not ready."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (f"{'https' if self.tls else 'http'}://{host}:{self.port}",) if self.ready else ()


@record
class Translation:
    """How the translator answers the calls of a route: it is called in one API, and calls on in another.

    Attributes:
        client: The API of the caller.
        server: The API of the server.
        limit_key: How the server names the most tokens of a chat.
        takes_stream_options: Whether it takes `stream_options.include_usage`.
        model: Bedrock's id of the model, which is a part of the path of Converse; empty for other APIs.
    """

    client: ServerSpeaks
    server: ServerApi
    limit_key: str
    takes_stream_options: bool
    model: str = ""


@record
class Attempt:
    """One of the entries that a call is sent to in turn: `POST path`.

    `headers` names the request headers that it gets, `refused_to` the teams that may not call it.
    """

    name: str
    path: str
    headers: tuple[str, ...] = ()
    refused_to: tuple[str, ...] = ()


@record
class ServedRoute:
    """`POST /{name}` goes to `upstream`.

    `rewrite` is the path there; None keeps path and query, which functions read. `headers` names the request
    headers that pass besides Content-Type and Accept; None lets every header pass, those of the response too:
    a function sees what API Gateway would show it and sets its own. `streams` lifts the gateway's timeout.
    `reads_json` is for a server that parses every body as JSON: the gateway sends it
    `Content-Type: application/json`, whatever the caller sent. With `admission`, each call waits for its turn
    and its body is checked. `body_limit_bytes` is the largest body, where that is more than the API's own
    limit. `counts_tokens` says that answers have tokens, which are counted. With `translation`, the call goes
    to the translator, which calls `upstream` at `rewrite`. With `attempts`, these entries are called in turn
    until one answers, the first of which is this one.
    """

    name: str
    upstream: str
    rewrite: str | None
    headers: tuple[str, ...] | None
    streams: bool = False
    reads_json: bool = False
    admission: EntryTerms | None = None
    counts_tokens: bool = False
    body_limit_bytes: int | None = None
    translation: Translation | None = None
    attempts: tuple[Attempt, ...] = ()


@record
class RefusedRoute:
    """`POST /{name}` answers 501 with this message."""

    name: str
    message: str


@record
class TeamAccess:
    """One team: the keys that are valid now (maybe none), the entries it may call (None: all), its limits.

    While it is `paused`, it may call none, and is told these words.
    """

    name: str
    keys: tuple[str, ...] = field(repr=False)
    models: tuple[str, ...] | None = None
    throttle: Throttle | None = None
    requests_per_day: int | None = None
    requests_at_once: int | None = None
    spending: Spending = UNLIMITED
    paused: str | None = None

    def may_call(self, entry: str) -> bool:
        """Returns whether the team may call that entry now."""
        return self.may_call_all or (self.paused is None and self.models is not None and entry in self.models)

    @property
    def may_call_all(self) -> bool:
        """Whether the team may call every entry now."""
        return self.paused is None and self.models is None


@record
class Door:
    """Who answers in `mlapi up` itself: a server on a port of 127.0.0.1, to those who know its token.

    No entry has the name of its upstream.
    """

    port: int
    token: str = field(repr=False)
    name: str = "/join"

    @property
    def upstream(self) -> Upstream:
        """The server as an upstream."""
        return Upstream(self.name, (self.port,))


@record
class Doors:
    """Who answers teams that join, and who takes calls that are answered later.

    `runs_jobs` returns whether such a call was ever to be made.
    """

    join: Door | None = None
    jobs: Door | None = None
    runs_jobs: Callable[[], bool] = lambda: False


@record
class Quotas:
    """How many calls each team with a daily quota may still make until `resets`."""

    resets: datetime
    left: tuple[tuple[str, int], ...]


@record
class Gateway:
    """Everything the gateway must know.

    `unready` holds (name, reason) of the entries that cannot answer now, `asleep` (name, state) of those that
    wake when they are called. `by_model` is where calls of the
    paths under `/v1` go, chosen by the `model` in the body: for each path its entries in this order. Every
    response names the instant `ends`. `documents` is what the API publishes about itself.

    With `teams` or a `door`, every call needs the key of a team; without, everybody may call. While
    `starts` is set, no key opens a model: the event starts then. `throttle` is for all calls together;
    None means no limit. The gateway counts down `quotas` by itself; other quotas replace what it has
    counted. Calls to an entry that is `paused` are told what it says of it, and every response has the
    `message`. `listed` is what the list of models tells of each. `aliases` are other names by which the
    bodies of these paths may name entries: by alias, the entry's name. `pot` is what all teams share.
    `jobs` takes calls that are answered later; the gateway has routes for them once it `runs_jobs`.
    """

    upstreams: tuple[Upstream | ExternalUpstream, ...]
    routes: tuple[ServedRoute | RefusedRoute, ...]
    unready: tuple[tuple[str, str], ...] = ()
    asleep: tuple[tuple[str, str], ...] = ()
    by_model: Mapping[str, tuple[ServedRoute, ...]] = field(default_factory=dict)
    ends: datetime | None = None
    documents: tuple[ServedDocument, ...] = ()
    teams: tuple[TeamAccess, ...] = ()
    throttle: Throttle | None = None
    quotas: Quotas | None = None
    listed: tuple[ListedModel, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    starts: datetime | None = None
    pot: Spending = UNLIMITED
    door: Door | None = None
    paused: Mapping[str, str] = field(default_factory=dict)
    message: Message = SILENCE
    jobs: Door | None = None
    runs_jobs: bool = False

    @property
    def needs_key(self) -> bool:
        """Whether calls need the key of a team, even while there is none."""
        return bool(self.teams) or self.door is not None

    @property
    def limits_spending(self) -> bool:
        """Whether tokens or dollars of a team, or of all together, are limited."""
        return self.pot.is_limited or any(team.spending.is_limited for team in self.teams)

    @property
    def translates(self) -> bool:
        """Whether some calls need the translator."""
        served = (route for routes in self.by_model.values() for route in routes)
        return any(route.translation or route.attempts for route in served)

    def names_of(self, entry: str) -> tuple[str, ...]:
        """Returns the name of an entry and its other names."""
        return (entry, *(alias for alias, name in self.aliases.items() if name == entry))
