"""The generated configuration, whole. After a change that is meant, write the golden files anew with

GOLDEN=write .venv/bin/pytest tests/unit/local/envoy/test_golden.py
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.local.envoy.bootstrap import build_bootstrap
from centralized_ml_api.local.envoy.settings import Files, Limits, Settings
from centralized_ml_api.local.envoy.xds import build_clusters_response, build_snapshot
from centralized_ml_api.local.gateway import (
    ExternalUpstream,
    Gateway,
    RefusedRoute,
    ServedRoute,
    Signing,
    Upstream,
)

GOLDEN = Path(__file__).parent / "golden"
STATE = Path("/srv/event/.mlapi")
SETTINGS = Settings(
    host="127.0.0.1",
    port=8080,
    files=Files(STATE / "gateway", STATE / "logs/access.log"),
    ca_bundle=Path("/etc/ssl/certs/ca-certificates.crt"),
    limits=Limits(),
)
SIGNING = Signing("eu-west-1", STATE / "scratch/aws-1/credentials")
GATEWAY = Gateway(
    upstreams=(
        Upstream("open-llama", (40002, 40001)),
        Upstream("open-llama-function", (40003,)),
        ExternalUpstream("gpu-box", "gpu-box.example", 8443, tls=True),
        ExternalUpstream("down", "192.0.2.1", 8000, tls=False, ready=False),
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
    chat=(
        ServedRoute("open-llama", "open-llama", "/v1/chat/completions", ("X-Custom",)),
        ServedRoute("remote", "gpu-box", "/v1/chat/completions", ()),
    ),
    documents=(ServedDocument("/", "text/html", "<p>100% yours</p>", (("cache-control", "no-cache"),)),),
    embeddings=(ServedRoute("embed", "down", "/v1/embeddings", ()),),
)


def built() -> dict[str, Any]:
    snapshot = build_snapshot(GATEWAY, SETTINGS)
    return {
        "bootstrap": build_bootstrap(SETTINGS),
        "routes": json.loads(snapshot.routes.text),
        "clusters": json.loads(build_clusters_response(snapshot.clusters).text),
        "endpoints": json.loads(snapshot.endpoints["open-llama"].text),
    }


@pytest.mark.parametrize("name", ["bootstrap", "routes", "clusters", "endpoints"])
def test_the_configuration_is_the_golden_one(name: str) -> None:
    path = GOLDEN / f"{name}.json"
    text = json.dumps(built()[name], indent=1) + "\n"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text(), f"golden/{name}.json differs; see the top of this file"


def test_the_order_in_the_gateway_does_not_matter() -> None:
    turned = replace(GATEWAY, upstreams=GATEWAY.upstreams[::-1], routes=GATEWAY.routes[::-1])
    assert build_snapshot(turned, SETTINGS) == build_snapshot(GATEWAY, SETTINGS)


def test_without_a_change_the_version_stays_and_with_one_it_does_not() -> None:
    more = replace(GATEWAY, routes=GATEWAY.routes[1:])
    first, same, other = (build_snapshot(gateway, SETTINGS) for gateway in (GATEWAY, GATEWAY, more))
    assert first.routes.version == same.routes.version != other.routes.version
    assert first.endpoints == other.endpoints
