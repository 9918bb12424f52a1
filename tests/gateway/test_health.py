from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import Gateway, RefusedRoute, ServedRoute, Upstream
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import RunningGateway


@pytest.mark.slow
def test_health_names_those_that_are_not_ready(gateway: RunningGateway) -> None:
    answer = gateway.call("/health", method="GET")
    assert (answer.status, answer.header("retry-after")) == (503, "2")
    assert answer.error["message"] == "Not ready: starting (starting)."
    assert answer.error["request_id"] == answer.header("x-request-id")
    assert (answer.json["status"], answer.json["unready"]) == ("unready", {"starting": "starting"})
    assert "echo" in answer.json["ready"]


@pytest.mark.slow
def test_head_is_get_without_the_body(gateway: RunningGateway) -> None:
    answer = gateway.call("/health", method="HEAD")
    assert (answer.status, answer.body) == (503, b"")
    assert answer.header("content-length") == str(len(gateway.call("/health", method="GET").body))


@pytest.mark.slow
def test_any_other_method_on_health_is_405(gateway: RunningGateway) -> None:
    answer = gateway.call("/health")
    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.slow
def test_health_follows_what_is_applied(tmp_path: Path, background: Background) -> None:
    down = Gateway(
        upstreams=(Upstream("a", ()),),
        routes=(ServedRoute("a", "a", "/x", ()), RefusedRoute("b", "no")),
        unready=(("a", 'its server "crashed" at 100%'),),
    )
    with start_gateway(tmp_path, background, down) as running:
        assert running.call("/health", method="GET").json["unready"] == {"a": 'its server "crashed" at 100%'}
        running.apply(replace(down, unready=()))
        answer = running.call("/health", method="GET")
        assert (answer.status, answer.json) == (200, {"status": "ok", "ready": ["a"], "unready": {}})
        assert answer.header("content-type") == "application/json"
