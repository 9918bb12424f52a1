"""What calls hold in the gateway's memory is bounded, for one call and for all together."""

from __future__ import annotations

import contextlib
import http.client
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from contract.case import LOCAL, refused
from support.odd_server import OddServer
from support.running_gateway import read, start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background

MIB = 1024 * 1024
HELD = Limits().response_bytes
CALLS = 14
LITTLE = Limits(memory_bytes=96 * MIB)
"""Some twenty of it are in use without a call."""


def serve_odd(odd: OddServer) -> Gateway:
    paths = {
        "longest": f"/large/{HELD}",
        "longer": f"/large/{HELD + 1}",
        "half": "/half-large",
        "hang": "/hang",
    }
    routes = tuple(ServedRoute(name, "odd", path, ()) for name, path in paths.items())
    return Gateway((Upstream("odd", (odd.port,)),), (*routes, ServedRoute("echo", "odd", "/echo", ())))


@pytest.mark.slow
def test_a_response_too_large_to_hold_passes_if_it_declares_its_length(
    tmp_path: Path, background: Background, odd: OddServer
) -> None:
    with start_gateway(tmp_path, background, serve_odd(odd)) as running:
        for name, length in (("longest", HELD), ("longer", HELD + 1)):
            answer = running.call(f"/{name}", b"{}")
            assert (answer.status, len(answer.body)) == (200, length)


@pytest.mark.slow
def test_a_caller_notices_that_such_a_response_broke_off(
    tmp_path: Path, background: Background, odd: OddServer
) -> None:
    with (
        start_gateway(tmp_path, background, serve_odd(odd)) as running,
        contextlib.closing(running.connect()) as connection,
    ):
        connection.request("POST", "/half", b"{}")
        with pytest.raises(http.client.IncompleteRead):
            read(connection)


@pytest.mark.slow
def test_calls_that_would_need_too_much_are_503_and_pass_when_others_have_ended(
    tmp_path: Path, background: Background
) -> None:
    """The bodies of calls under way are held; a server that says nothing keeps them there."""
    with (
        OddServer() as hanging,
        ThreadPoolExecutor(CALLS) as callers,
        start_gateway(tmp_path, background, serve_odd(hanging), limits=LITTLE) as running,
    ):
        under_way = [callers.submit(running.call, "/hang", bytes(6 * MIB)) for _ in range(CALLS)]
        try:
            wait_until(lambda: running.call("/echo", b"{}").status == 503, "there is no room for more")
            answer = running.call("/echo", b"{}")
        finally:
            hanging.released.set()
        refused(errors.OVERLOADED, headers={"retry-after": str(errors.RETRY_AFTER_SECONDS)}).check(
            answer, LOCAL
        )
        for call in under_way:
            assert call.result().status in {200, 502, 503}
        wait_until(lambda: running.call("/echo", b"{}").status == 200, "there is room again")
