"""Our own gateway, as `mlapi up` starts it: with keys and without."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.processes import pin
from bench.scenarios.gateway.calls import OPENAI_PATH, TEAMS, build_call
from bench.scenarios.gateway.peer import GATEWAY_CORES, Peer, Place, Running
from bench.serving import PUBLIC_LIMIT, serve, supervisor_of
from centralized_ml_api.local.keys import KeyStore, LocalKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEYED = {**PUBLIC_LIMIT, "teams": [f"team-{number}" for number in range(TEAMS)]}


def build_config(upstream: int, event: Mapping[str, Any]) -> dict[str, Any]:
    """Builds a config with one entry, served by the model that is already running."""
    local = {"engine": "url", "url": f"http://127.0.0.1:{upstream}{OPENAI_PATH}"}
    return {
        "models": [],
        "endpoints": [{"name": "model", "integration": {"type": "api"}, "local": local}],
        "event": dict(event),
    }


@contextlib.contextmanager
def start_ours(place: Place, *, event: Mapping[str, Any], path: str) -> Iterator[Running]:
    """Starts `mlapi up`. The processor time includes Envoy and the supervisor."""
    config = build_config(place.upstream, event)
    with serve(config, place.folder, prefix=pin(GATEWAY_CORES)) as address:
        keys = LocalKeys(KeyStore(place.folder / ".mlapi"))
        key = keys.show("team-0") if event.get("teams") else None
        port = int(address.rpartition(":")[2])
        yield Running(build_call(port, path, key), supervisor_of(place.folder))


def _peer(name: str, about: str, event: Mapping[str, Any], path: str) -> Peer:
    return Peer(
        name, about, partial(start_ours, event=event, path=path), lambda _: {}, keyed="teams" in event
    )


OURS = _peer(
    "mlapi",
    f"{TEAMS} teams: keys, limits, log, counts, CORS, our errors, header allow-lists, complete responses",
    KEYED,
    "/model",
)
PUBLIC = _peer("mlapi, no keys", "the same, with one limit for everybody", PUBLIC_LIMIT, "/model")
OPENAI = _peer(
    "mlapi, /v1/chat/completions",
    "with keys; the `model` in the body selects the entry",
    KEYED,
    OPENAI_PATH,
)
