from __future__ import annotations

import asyncio
import contextlib
import http.client
import threading
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from support.model_server import start_model_server
from support.odd_server import OddServer
from support.running_gateway import RunningGateway, start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background


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
            ServedRoute("never", "odd", "/hang", (), streams=True),
            ServedRoute("broken", "odd", "/half-chunked", (), streams=True),
            ServedRoute("hang", "odd", "/hang", ()),
        ),
    )
    limits = Limits(stream_idle_seconds=2)
    with start_gateway(tmp_path, background, served, limits=limits, seconds=0.5) as running:
        yield running


@pytest.mark.slow
def test_a_stream_comes_as_it_is_made_and_outlasts_the_gateways_timeout(
    running: RunningGateway, server: OddServer
) -> None:
    with contextlib.closing(running.connect()) as connection:
        connection.request("POST", "/stream")
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.read(3) == b"one"
        assert running.call("/hang").status == 504  # by now the gateway's timeout has passed
        server.steps.set()
        assert response.read() == b"two"


@pytest.mark.slow
def test_a_stream_that_falls_silent_is_cut(running: RunningGateway) -> None:
    with contextlib.closing(running.connect()) as connection:
        connection.request("POST", "/silent")
        response = connection.getresponse()
        with pytest.raises(Exception, match=r"IncompleteRead|reset"):
            response.read()


@pytest.mark.slow
def test_a_stream_that_never_begins_is_504(running: RunningGateway) -> None:
    answer = running.call("/never")
    assert (answer.status, answer.error["code"]) == (504, "model_too_slow")


@pytest.mark.slow
def test_a_stream_that_breaks_off_is_cut_and_not_ended(running: RunningGateway) -> None:
    with contextlib.closing(running.connect()) as connection:
        connection.request("POST", "/broken")
        response = connection.getresponse()
        assert response.status == 200
        with pytest.raises(http.client.IncompleteRead) as cut:
            response.read()
        assert cut.value.partial == b"half"


@pytest.mark.slow
@pytest.mark.parametrize("streams", [True, False])
def test_who_goes_away_stops_the_model(tmp_path: Path, background: Background, streams: bool) -> None:  # noqa: FBT001
    began, stopped = threading.Event(), threading.Event()

    async def endless(request: web.Request, _body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: first")
        began.set()
        try:
            return await asyncio.Future[web.StreamResponse]()
        finally:
            stopped.set()

    with start_model_server(background) as server:
        server.answering = endless
        port = int(server.url.rpartition(":")[2])
        served = Gateway((Upstream("one", (port,)),), (ServedRoute("one", "one", "/", (), streams=streams),))
        with start_gateway(tmp_path, background, served) as running:
            with contextlib.closing(running.connect()) as connection:
                connection.request("POST", "/one")
                if streams:
                    assert connection.getresponse().read(11) == b"data: first"
                assert began.wait(30)
            assert stopped.wait(30), "the model goes on for nobody"
