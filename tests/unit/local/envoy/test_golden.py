"""The complete generated configuration. After an intended change, write the golden files again with

GOLDEN=write .venv/bin/pytest tests/unit/local/envoy/test_golden.py
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.api.openai import CHAT_PATH, EMBEDDINGS_PATH
from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.settings import Files, Limits, Settings
from centralized_ml_api.local.envoy.xds import (
    build_clusters_response,
    build_listeners_response,
    build_snapshot,
)
from centralized_ml_api.local.gateway import (
    ExternalUpstream,
    Gateway,
    ProviderAccess,
    Quotas,
    RefusedRoute,
    ServedRoute,
    Signing,
    TeamAccess,
    Translation,
    Upstream,
)
from centralized_ml_api.plan.event import Throttle

GOLDEN = Path(__file__).parent / "golden"
STATE = Path("/srv/event/.mlapi")
SETTINGS = Settings(
    host="127.0.0.1",
    port=8080,
    files=Files(STATE / "gateway", STATE / "logs/access.log"),
    ca_bundle=Path("/etc/ssl/certs/ca-certificates.crt"),
    limits=Limits(shares=1),  # every share repeats the whole connection manager
)
CLAUDE = ProviderAccess("x-api-key", "", Path("/state/key/key.json"), (("anthropic-version", "2023-06-01"),))
SIGNING = Signing("eu-west-1", STATE / "scratch/aws-1/credentials")
GATEWAY = Gateway(
    upstreams=(
        Upstream("open-llama", (40002, 40001)),
        Upstream("open-llama-function", (40003,)),
        ExternalUpstream("gpu-box", "gpu-box.example", 8443, tls=True, keeps_connections=True),
        ExternalUpstream("down", "192.0.2.1", 8000, tls=False, ready=False),
        ExternalUpstream("claude", "claude.example", 443, tls=True, provider=CLAUDE),
        ExternalUpstream("real", "sagemaker.example", 443, tls=True, signing=SIGNING),
    ),
    routes=(
        ServedRoute("open-llama", "open-llama-function", None, None),
        ServedRoute("chat", "open-llama", "/v1/chat/completions", ("X-Custom",), streams=True),
        ServedRoute("remote", "gpu-box", "/invocations?v=1%202", ()),
        ServedRoute("down", "down", "/invocations", ()),
        ServedRoute("real", "real", "/endpoints/Real-1/invocations", ()),
        RefusedRoute("sd-1-0", 'no local engine: add "local", 100% sure'),
    ),
    unready=(("down", "does not answer"),),
    by_model={
        CHAT_PATH: (
            ServedRoute("open-llama", "open-llama", "/v1/chat/completions", ("X-Custom",)),
            ServedRoute("remote", "gpu-box", "/v1/chat/completions", ()),
        ),
        EMBEDDINGS_PATH: (ServedRoute("embed", "down", "/v1/embeddings", ()),),
        "/v1/messages": (
            ServedRoute(
                "remote",
                "gpu-box",
                "/100%/chat/completions",
                (),
                translation=Translation(
                    "anthropic-messages", "openai-chat", "max_tokens", takes_stream_options=True
                ),
            ),
        ),
    },
    documents=(ServedDocument("/", "text/html", "<p>100% yours</p>", (("cache-control", "no-cache"),)),),
)

EVENT = Gateway(
    upstreams=(Upstream("chat", (40001,)),),
    routes=(
        ServedRoute("chat", "chat", "/v1/chat/completions", (), streams=True),
        ServedRoute("embed", "chat", "/invocations", ("X-Request-Id",), reads_json=True),
    ),
    by_model={CHAT_PATH: (ServedRoute("chat", "chat", "/v1/chat/completions", ()),)},
    ends=datetime(2030, 6, 2, 18, tzinfo=UTC),
    documents=(ServedDocument("/", "text/html", "page"), ServedDocument("/models", "text/plain", "list")),
    teams=(
        TeamAccess("red", ("red-key", "former-key"), ("embed",), Throttle(0.5, 3), requests_per_day=100),
        TeamAccess("blue", ()),
        TeamAccess("gr.een", ("green-key",), (), requests_per_day=3),
    ),
    throttle=Throttle(20, 40),
    quotas=Quotas(datetime(2030, 6, 2, tzinfo=UTC), (("red", 7), ("gr.een", 0))),
)


def built() -> dict[str, Any]:
    snapshot = build_snapshot(GATEWAY, SETTINGS)
    with_jobs = build_snapshot(replace(GATEWAY, runs_jobs=True), SETTINGS)
    event = build_snapshot(EVENT, SETTINGS)
    return {
        "bootstrap": build_bootstrap(SETTINGS),
        "listeners": json.loads(build_listeners_response(with_jobs.listeners).text),
        "routes": json.loads(snapshot.routes.text),
        "clusters": json.loads(build_clusters_response(snapshot.clusters).text),
        "endpoints": json.loads(snapshot.endpoints["open-llama"].text),
        "event_routes": json.loads(event.routes.text),
        "event_rate_limits": {name: json.loads(limit.text) for name, limit in event.rate_limits.items()},
    }


@pytest.mark.parametrize(
    "name", ["bootstrap", "listeners", "routes", "clusters", "endpoints", "event_routes", "event_rate_limits"]
)
def test_the_configuration_is_the_golden_one(name: str) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(built()[name], indent=1) + "\n"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text(), f"golden/{name}.json differs; see the top of this file"


def test_the_order_in_the_gateway_does_not_matter() -> None:
    turned = replace(GATEWAY, upstreams=GATEWAY.upstreams[::-1], routes=GATEWAY.routes[::-1])
    assert build_snapshot(turned, SETTINGS) == build_snapshot(GATEWAY, SETTINGS)


@pytest.mark.parametrize("name", ["routes", "event_routes"])
def test_every_call_to_a_server_comes_to_an_end(name: str) -> None:
    """The listener sets no time: it is that of the whole response, or that between two pieces of a stream."""
    actions = [action for action in list_actions(built()[name]) if "cluster" in action]
    assert actions
    for action in actions:
        assert action["timeout"] != "0s" or action["idle_timeout"] != "0s"


def list_actions(value: Any) -> list[dict[str, Any]]:
    """What the routes anywhere within this do."""
    if isinstance(value, list):
        return [action for each in value for action in list_actions(each)]
    if not isinstance(value, dict):
        return []
    own = [value["route"]] if isinstance(value.get("route"), dict) else []
    return [*own, *list_actions([*value.values()])]
