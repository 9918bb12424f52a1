"""Our own gateway, as `mlapi up` starts it: with keys and without."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.processes import pin
from bench.scenarios.gateway.calls import ANTHROPIC_PATH, OPENAI_PATH, TEAMS, build_call
from bench.scenarios.gateway.peer import GATEWAY_CORES, Peer, Place, Running
from bench.serving import PUBLIC_LIMIT, serve, supervisor_of
from centralized_ml_api.local.keys import KeyStore, LocalKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROVIDER_KEY = "sk-0123456789"
_NAMES = [f"team-{number}" for number in range(TEAMS)]
TEAM = _NAMES[0]
"""The one that calls."""
KEYED = {**PUBLIC_LIMIT, "teams": _NAMES}
TOKENS = 1_000_000_000_000
"""A team's tokens of a day, which no measurement uses up."""
COUNTED = {**PUBLIC_LIMIT, "teams": [{"name": name, "tokens_per_day": TOKENS} for name in _NAMES]}


def build_config(upstream: int, event: Mapping[str, Any], server_path: str = OPENAI_PATH) -> dict[str, Any]:
    """Builds a config with one entry, served by the model that is already running.

    Args:
        upstream: The port of the model.
        event: Who may call, and how much.
        server_path: Where the model takes calls, which tells the API that it speaks.
    """
    local = {"engine": "url", "url": f"http://127.0.0.1:{upstream}{server_path}"}
    return {
        "models": [],
        "endpoints": [{"name": "model", "integration": {"type": "api"}, "local": local}],
        "event": dict(event),
    }


def build_hosted_config(upstream: int, folder: Path) -> dict[str, Any]:
    """Builds a config with one entry of a provider, which is the model that is already running.

    The provider's key is in a file of `folder`. The entry has a limit, so that calls are changed on the way.
    """
    key = folder / "provider.key"
    key.write_text(f"{PROVIDER_KEY}\n", encoding="utf-8")
    key.chmod(0o600)
    url = f"http://127.0.0.1:{upstream}/v1"
    provider = {"name": "openai", "url": url, "model": "gpt-5-mini", "key": {"file": str(key)}}
    entry = {"name": "model", "provider": provider, "max_output_tokens": 1_000}
    return {
        "models": [],
        "endpoints": [{**entry, "integration": {"type": "api"}}],
        "event": dict(KEYED),
    }


@contextlib.contextmanager
def start_hosted(place: Place) -> Iterator[Running]:
    """Starts `mlapi up` with a provider. The processor time includes all processes of it."""
    with _serving(build_hosted_config(place.upstream, place.folder), place, OPENAI_PATH) as running:
        yield running


@contextlib.contextmanager
def start_ours(place: Place, *, event: Mapping[str, Any], path: str, server_path: str) -> Iterator[Running]:
    """Starts `mlapi up`. The processor time includes Envoy and the supervisor.

    Args:
        place: Where it runs.
        event: Who may call, and how much.
        path: Where it is called.
        server_path: Where it calls the model.
    """
    with _serving(build_config(place.upstream, event, server_path), place, path) as running:
        yield running


@contextlib.contextmanager
def _serving(config: Mapping[str, Any], place: Place, path: str) -> Iterator[Running]:
    with serve(config, place.folder, prefix=pin(GATEWAY_CORES)) as address:
        keys = LocalKeys(KeyStore(place.folder / ".mlapi"))
        key = keys.show(TEAM) if config["event"].get("teams") else None
        port = int(address.rpartition(":")[2])
        yield Running(build_call(port, path, key), supervisor_of(place.folder))


def _peer(name: str, about: str, event: Mapping[str, Any], path: str, server_path: str = OPENAI_PATH) -> Peer:
    start = partial(start_ours, event=event, path=path, server_path=server_path)
    return Peer(name, about, start, lambda _: {}, keyed="teams" in event)


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
BELOW = _peer(
    "mlapi, /model/v1/chat/completions",
    "with keys; the path selects the entry, and is an address that SDKs take as a base",
    KEYED,
    f"/model{OPENAI_PATH}",
)
LIMITED = _peer(
    "mlapi, teams with token limits",
    "as `mlapi`; each team has tokens for a day, which are reserved before a call and counted after it",
    COUNTED,
    "/model",
)
ANTHROPIC = _peer(
    "mlapi, /v1/messages",
    "Anthropic's route to a model that speaks Anthropic's API; the `model` in the body selects the entry",
    KEYED,
    ANTHROPIC_PATH,
    ANTHROPIC_PATH,
)
TRANSLATED = _peer(
    "mlapi, /v1/messages, translated",
    "the same to a model that speaks OpenAI's API alone: Node.js translates each call and each answer",
    KEYED,
    ANTHROPIC_PATH,
)
HOSTED = Peer(
    "mlapi, a hosted model",
    "the same; the gateway adds a provider's key and its name of the model, and counts tokens",
    start_hosted,
    lambda _: {},
    keyed=True,
)
