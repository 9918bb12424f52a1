from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from support.odd_server import OddServer
from support.running_gateway import RunningGateway, start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[OddServer]:
    with OddServer() as server:
        yield server


@pytest.fixture
def running(tmp_path: Path, background: Background, server: OddServer) -> Iterator[RunningGateway]:
    """A gateway that waits half a second for a model, a stream's silences apart."""
    served = Gateway(
        upstreams=(Upstream("odd", (server.port,)),),
        routes=(
            ServedRoute("stream", "odd", "/steps", (), streams=True),
            ServedRoute("silent", "odd", "/half-hang", (), streams=True),
            ServedRoute("hang", "odd", "/hang", ()),
        ),
    )
    limits = Limits(stream_idle_seconds=3)
    with start_gateway(tmp_path, background, served, limits=limits, seconds=0.5) as running:
        yield running


def test_a_stream_comes_as_it_is_made_and_outlasts_the_gateways_timeout(
    running: RunningGateway, server: OddServer
) -> None:
    with contextlib.closing(running.connect()) as connection:
        connection.request("POST", "/stream")
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.read(3) == b"one"
        assert running.call("/hang").status == 504  # by now the gateway's timeout has passed
        server.steps.set()
        assert response.read() == b"two"


def test_a_stream_that_falls_silent_is_cut(running: RunningGateway) -> None:
    with contextlib.closing(running.connect()) as connection:
        connection.request("POST", "/silent")
        response = connection.getresponse()
        with pytest.raises(Exception, match=r"IncompleteRead|reset"):
            response.read()
