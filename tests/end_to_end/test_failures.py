"""What callers see when models misbehave, with real processes behind the real gateway."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from support.background import start_background
from support.closing_server import ClosingServer
from support.local_api import LocalApi, models, odd_command, start_local_api, unlimited
from support.odd_server import OddServer
from support.streaming_server import start_streaming_server
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def error_of(api: LocalApi, path: str) -> tuple[int, dict[str, str], dict[str, str]]:
    """Status, error and headers (lower-case names) of a call."""
    answer = api.call(path)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    error: dict[str, str] = json.loads(answer.data)["error"]
    assert headers["access-control-allow-origin"] == "*"
    assert headers["content-type"] == "application/json"
    assert error["request_id"] == headers["x-request-id"]
    return answer.status, error, headers


def gated(gate: Path) -> dict[str, Any]:
    """The odd server as a program that waits with its start while the gate exists."""
    run = odd_command()["run"]
    wait = 'while test -e "$0"; do sleep 0.05; done; exec "$@"'
    return odd_command(run=["sh", "-c", wait, str(gate), *run])


@pytest.mark.slow
def test_a_killed_model_answers_503_and_comes_back(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with start_local_api(tmp_path, models(echo=gated(gate))) as api:
        api.wait_serving()
        assert api.call("/echo").status == 200
        gate.touch()
        for pid in api.part_pids("echo"):
            os.kill(pid, signal.SIGKILL)
        # The very first call may still go out on a connection of the dead process: that is a 502.
        wait_until(lambda: api.call("/echo").status != 502, "the gateway knows")
        status, error, headers = error_of(api, "/echo")
        assert (status, error["type"]) == (503, "unavailable_error")
        assert int(headers["retry-after"]) >= 1
        gate.unlink()
        wait_until(lambda: api.call("/echo").status == 200, "the model is back")
        api.wait_talk("restarted 1 time")


@pytest.mark.slow
def test_odd_models_answer_502_and_504_in_the_one_shape(tmp_path: Path) -> None:
    with OddServer() as odd:
        ways = ("half", "close", "garbage", "hang")
        blocks = {way: {"engine": "url", "url": f"http://127.0.0.1:{odd.port}/{way}"} for way in ways}
        with start_local_api(tmp_path, models(**blocks)) as api:
            api.wait_serving()
            seen = {way: error_of(api, f"/{way}")[:2] for way in ways}
    assert {way: status for way, (status, _) in seen.items()} == {
        "half": 502,
        "close": 502,
        "garbage": 502,
        "hang": 504,
    }
    assert {error["type"] for way, (_, error) in seen.items() if way != "hang"} == {"model_error"}
    assert seen["hang"][1]["type"] == "timeout_error"


@pytest.mark.slow
def test_a_server_elsewhere_that_is_away_answers_503_until_it_is_there(tmp_path: Path) -> None:
    with OddServer() as first:
        port = first.port
    block = {"engine": "url", "url": f"http://127.0.0.1:{port}/echo"}
    with start_local_api(tmp_path, models(away=block, echo=odd_command())) as api:
        wait_until(lambda: api.status().get("address"), "the gateway listens")
        address = api.status()["address"]
        answer = api.http.request("POST", f"{address}/away", body=b"{}", timeout=30)
        assert answer.status == 503
        with OddServer(port):
            wait_until(
                lambda: api.http.request("POST", f"{address}/away", body=b"{}", timeout=30).status == 200,
                "it is there",
            )


@pytest.mark.slow
def test_a_server_elsewhere_whose_place_another_product_takes_loses_no_call_for_long(tmp_path: Path) -> None:
    """The first keeps connections, the second closes each behind its answer; both are ready at every look."""
    with start_background() as background, contextlib.ExitStack() as first:
        port = first.enter_context(start_streaming_server(background)).port
        block = {"engine": "url", "url": f"http://127.0.0.1:{port}/echo"}
        with start_local_api(tmp_path, unlimited(model=block)) as api:
            api.wait_serving()
            assert {api.call("/model").status for _ in range(20)} == {200}
            first.close()
            with ClosingServer(port):
                wait_until(
                    lambda: {api.call("/model").status for _ in range(40)} == {200},
                    "no call is lost any more",
                )


@pytest.mark.slow
def test_one_model_that_cannot_start_does_not_stop_the_rest(tmp_path: Path) -> None:
    broken = {"engine": "command", "run": ["sh", "-c", "echo out of memory, says the model {port}; exit 3"]}
    with start_local_api(tmp_path, models(broken=broken, echo=odd_command())) as api:
        api.wait_serving()
        assert api.call("/echo").status == 200
        status, error, _ = error_of(api, "/broken")
        assert (status, error["type"]) == (503, "unavailable_error")
        assert "broken: failed to start: ended with status 3" in api.output
        assert "| out of memory, says the model" in api.output
        health = api.call("/health", method="GET")
        assert health.status == 503
        assert "broken" in json.loads(health.data)["unready"]
        assert "echo" in json.loads(health.data)["ready"]


@pytest.mark.slow
def test_when_no_model_can_start_up_fails(tmp_path: Path) -> None:
    with start_local_api(tmp_path, models(broken={"engine": "command", "run": ["false", "{port}"]})) as api:
        assert api.process.wait(60) == 1
        assert "no model could start" in api.output


@pytest.mark.slow
def test_replicas_share_the_calls_and_one_that_dies_fails_only_its_own(tmp_path: Path) -> None:
    with start_local_api(tmp_path, unlimited(echo=odd_command(replicas=2))) as api:
        api.wait_serving()
        wait_until(lambda: len(_ports(api, 20)) == 2, "both replicas are called")
        os.kill(api.part_pids("echo")[0], signal.SIGKILL)
        statuses = [api.call("/echo").status for _ in range(100)]
        # At most the calls that went out on a connection of the dead process: each thread of the gateway
        # keeps one.
        assert statuses.count(200) >= 100 - (os.cpu_count() or 1), statuses
        wait_until(lambda: len(_ports(api, 20)) == 2, "both replicas are called again")


def _ports(api: LocalApi, calls: int) -> set[int]:
    answers = [api.call("/echo") for _ in range(calls)]
    assert {answer.status for answer in answers} == {200}, [answer.data for answer in answers]
    return {json.loads(answer.data)["port"] for answer in answers}
