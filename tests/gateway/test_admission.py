"""Turns at a model with few places, through a real Envoy and the real admission service."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.local.admission.terms import OCCUPANCY_SOCKET, EntryTerms
from centralized_ml_api.local.envoy import Limits
from centralized_ml_api.local.envoy.admin import Admin, shorten_path
from centralized_ml_api.local.envoy.listener import STAT_PREFIX
from centralized_ml_api.local.envoy.settings import ADMIN_SOCKET
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from support.odd_server import OddServer
from support.running_gateway import read, start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import Answer, RunningGateway

pytestmark = pytest.mark.slow  # each test starts an Envoy

RED, BLUE = "red-key", "blue-key"


@pytest.fixture
def server() -> Iterator[OddServer]:
    with OddServer() as server:
        yield server


@pytest.fixture
def gateway(tmp_path: Path, background: Background, server: OddServer) -> Iterator[RunningGateway]:
    with start_gateway(tmp_path, background, build_served(server)) as gateway:
        yield gateway


def build_served(server: OddServer) -> Gateway:
    """Two entries of one place each, one whose server knows its model by another name, one without limits."""
    one = EntryTerms(places=1)
    named = EntryTerms(model="org/named")
    return Gateway(
        upstreams=(Upstream("odd", (server.port,)),),
        routes=(
            ServedRoute("held", "odd", "/steps", (), streams=True, admission=one),
            ServedRoute("echo", "odd", "/echo", (), admission=one),
            ServedRoute("named", "odd", "/echo", (), admission=named),
            ServedRoute("free", "odd", "/echo", ()),
        ),
        by_model={
            CHAT_PATH: (
                ServedRoute("held", "odd", "/steps", (), admission=one),
                ServedRoute("named", "odd", "/echo", (), admission=named),
            )
        },
        teams=(
            TeamAccess("red", (RED,)),
            TeamAccess("blue", (BLUE,), ("echo", "named", "free"), requests_at_once=1),
        ),
    )


def call(gateway: RunningGateway, path: str, body: bytes = b"{}", *, key: str = RED) -> Answer:
    return gateway.call(path, body, {"x-api-key": key})


def read_occupancy(gateway: RunningGateway) -> dict[str, dict[str, int]]:
    with (
        shorten_path(gateway.folder / OCCUPANCY_SOCKET) as path,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.connect(path)
        occupancy: dict[str, dict[str, int]] = json.loads(connection.makefile("rb").read())
    return occupancy


def wait_occupancy(gateway: RunningGateway, entry: str, under_way: int, waiting: int) -> None:
    wanted = {"under_way": under_way, "waiting": waiting}

    def is_so() -> bool:
        return wanted.items() <= read_occupancy(gateway).get(entry, {}).items()

    wait_until(is_so, f"{entry} has {wanted}")


@contextlib.contextmanager
def calling(gateway: RunningGateway, path: str, body: bytes = b"{}") -> Iterator[Any]:
    """A call under way, until the block ends or hangs up."""
    with contextlib.closing(gateway.connect()) as connection:
        connection.request("POST", path, body, {"x-api-key": RED})
        yield connection


def finish(connection: Any, server: OddServer) -> int:
    """Lets the server end its answer, which is read; returns the status."""
    server.steps.set()
    response = connection.getresponse()
    response.read()
    return int(response.status)


def test_a_call_waits_until_the_one_before_is_over(gateway: RunningGateway, server: OddServer) -> None:
    with calling(gateway, "/held") as first, calling(gateway, "/held") as second:
        wait_occupancy(gateway, "held", 1, 1)
        wait_until(lambda: server.asked, "the first has reached the server")
        assert server.asked == ["/steps"], "the second has not"
        assert [finish(first, server), finish(second, server)] == [200, 200]
    wait_occupancy(gateway, "held", 0, 0)


def test_entries_do_not_wait_for_each_other(gateway: RunningGateway) -> None:
    with calling(gateway, "/held"):
        wait_occupancy(gateway, "held", 1, 0)
        assert call(gateway, "/echo").status == 200
        assert call(gateway, "/free").status == 200


@pytest.mark.parametrize("path", ["/held", "/v1/chat/completions"])
def test_who_hangs_up_gives_its_place_back(gateway: RunningGateway, server: OddServer, path: str) -> None:
    body = b'{"model": "held"}'
    with calling(gateway, path, body):
        wait_until(lambda: server.asked, "the first has reached the server")
        with calling(gateway, path, body):
            wait_occupancy(gateway, "held", 1, 1)
        wait_occupancy(gateway, "held", 1, 0)
    wait_occupancy(gateway, "held", 0, 0)
    assert server.asked.count("/steps") == 1


def test_a_turn_that_does_not_come_in_time_is_503_with_a_pause(
    tmp_path: Path, background: Background, server: OddServer
) -> None:
    limits = Limits(turn_seconds=0.5)
    with (
        start_gateway(tmp_path, background, build_served(server), limits=limits) as gateway,
        calling(gateway, "/held"),
    ):
        wait_occupancy(gateway, "held", 1, 0)
        refused = call(gateway, "/held")
        assert (refused.status, refused.error["code"]) == (503, errors.OVERLOADED.code)
        assert refused.header("retry-after") == "2"


def test_while_the_service_is_away_calls_are_503_and_streams_go_on(
    gateway: RunningGateway, server: OddServer
) -> None:
    with calling(gateway, "/held") as under_way:
        wait_occupancy(gateway, "held", 1, 0)
        assert gateway.admission is not None
        gateway.admission.kill()
        gateway.admission.wait()
        refused = call(gateway, "/echo")
        assert (refused.status, refused.error["code"]) == (503, errors.MODEL_NOT_READY.code)
        assert refused.header("retry-after") == "2"
        assert refused.header("access-control-allow-origin") == "*"
        assert call(gateway, "/free").status == 200, "this entry needs no turn"
        assert finish(under_way, server) == 200
    gateway.start_admission()
    wait_until(lambda: call(gateway, "/echo").status == 200, "it is there again")


def test_many_may_ask_at_the_same_moment(gateway: RunningGateway, background: Background) -> None:
    active, at_once = f"http.{STAT_PREFIX}.downstream_rq_active", 300
    admin = Admin(gateway.folder / ADMIN_SOCKET)
    assert gateway.admission is not None
    gateway.admission.send_signal(signal.SIGSTOP)
    try:
        with contextlib.ExitStack() as stack:
            calls = [stack.enter_context(contextlib.closing(gateway.connect())) for _ in range(at_once)]
            for each in calls:
                each.request("POST", "/named", b'{"model": "x"}', {"x-api-key": RED})
            wait_until(
                lambda: background.run(admin.stats([active])).get(active) == at_once, "all of them wait"
            )
            gateway.admission.send_signal(signal.SIGCONT)
            assert {read(each).status for each in calls} == {200}
    finally:
        gateway.admission.send_signal(signal.SIGCONT)


def test_the_model_of_its_server_is_named_and_nothing_else_changes(gateway: RunningGateway) -> None:
    body = b'{"model": "named",  "seed": 18446744073709551615, "x": 1.0}'
    for path in ("/named", "/v1/chat/completions"):
        answer = call(gateway, path, body)
        assert answer.status == 200
        assert answer.json["length"] == len(body) - len("named") + len("org/named")
    for other in (b'{"model": "named", "Model": "org/secret"}', b'{"model": "named", "model": "org/secret"}'):
        refused = call(gateway, "/named", other)
        assert (refused.status, refused.error["code"]) == (400, errors.INVALID_BODY.code)


def test_other_entries_get_their_bodies_byte_for_byte(gateway: RunningGateway) -> None:
    body = b'{"model": "org/secret", "Model": 1,}'
    assert call(gateway, "/echo", body).json["length"] == len(body)


def test_a_refusal_looks_like_every_other_error(gateway: RunningGateway) -> None:
    for path in ("/named", "/v1/chat/completions"):
        refused = call(gateway, path, b"{")
        assert refused.status == 400
        assert refused.error["request_id"] == refused.header("x-request-id")
        assert refused.header("access-control-allow-origin") == "*"
        assert refused.header("content-type") == "application/json"
        assert gateway.logged(refused.header("x-request-id"))["team"] == "red"


def test_a_team_has_no_more_calls_under_way_than_it_may(gateway: RunningGateway, server: OddServer) -> None:
    answers: list[int] = []
    blue = threading.Thread(target=lambda: answers.append(call(gateway, "/echo", key=BLUE).status))
    with calling(gateway, "/held") as red:
        blue.start()
        blue.join(10)
        assert answers == [200], "another team's limit is not its own"
        assert finish(red, server) == 200


def test_a_model_that_a_team_may_not_call_stays_forbidden_whoever_reads_the_body(
    gateway: RunningGateway,
) -> None:
    for seed in ("1", "18446744073709551615"):
        body = f'{{"model": "held", "seed": {seed}}}'.encode()
        assert call(gateway, "/v1/chat/completions", body, key=BLUE).status == 403
    assert "held" not in read_occupancy(gateway), "it never waited for a turn there"
