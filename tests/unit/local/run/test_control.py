"""Talking to the process that serves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from centralized_ml_api.commands import DEFAULT_STATE
from centralized_ml_api.errors import MlApiError, NotRunningError, StartError, UsageError
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.local.machine.state_folder import Run
from centralized_ml_api.local.run.control_client import ControlClient
from centralized_ml_api.local.run.listeners import listen_to_control
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.traffic.types import Traffic
from support.background import start_background
from support.own_ports import own_ports
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centralized_ml_api.organizer.journal import Actor

RUN = Run.of_this_process("config.json")
STATUS = LocalStatus(7, "c.json", ".mlapi", 0.0, "http://a", "trouble", "http://b", (), ("a note",))


class Target:
    """Something to control."""

    def __init__(self) -> None:
        self.bug: Exception | None = None
        self.asked: list[str | None] = []
        self.waited: list[float] = []
        self.finished = 0
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self.ordered: list[str] = []

    async def until_announced(self, seconds: float) -> None:
        """Waits until the test goes on."""
        self.waited.append(seconds)
        await self.may_finish.wait()

    async def look(self) -> LocalStatus:
        """How it is."""
        if self.bug:
            raise self.bug
        return STATUS

    async def traffic(self) -> Traffic:
        """Nothing was called."""
        return Traffic(3.0, None)

    @property
    def board_link(self) -> str:
        """Where the organizer looks."""
        return "http://127.0.0.1:1/#token=x"

    async def reload(self, config: str | None) -> dict[str, Any]:
        """What a reload says."""
        self.asked.append(config)
        await self.may_finish.wait()
        self.finished += 1
        return {"added": ["a"]}

    async def act(self, act: str, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Only `a` can; its restart fails."""
        name = wanted["name"]
        self.ordered.append(f"{act} {name}")
        assert by == "command line"
        if act == "restart":
            return {"error": f"{name} has no memory", "fix": "", "failed": True}
        return {} if name == "a" else {"error": f"{name} never sleeps", "fix": "give it idle"}


@contextmanager
def controlled(target: Target, *, token: str = "t0ken") -> Iterator[tuple[ControlClient, str]]:  # noqa: S107  # of nobody
    stack, listening = AsyncExitStack(), bind_loopback()
    with start_background() as background:
        background.run(listen_to_control(stack, target, "t0ken", listening))
        try:
            yield ControlClient(RUN.reachable(url_of(listening), token), DEFAULT_STATE), url_of(listening)
        finally:
            background.run(stack.aclose())


def test_status_traffic_and_reload_reach_the_process_that_serves() -> None:
    target = Target()
    with controlled(target) as (client, _):
        assert client.status() == STATUS
        assert client.traffic() == Traffic(3.0, None)
        assert client.reload(None) == {"added": ["a"]}
        assert client.reload(Path("/other.json")) == {"added": ["a"]}
    assert target.asked == [None, "/other.json"]


def test_a_status_can_be_asked_for_that_comes_once_the_api_is_announced() -> None:
    target = Target()
    with controlled(target) as (client, _), ThreadPoolExecutor() as threads:
        target.may_finish.clear()
        waiting = threads.submit(client.status, announced_within=2.5)
        wait_until(lambda: target.waited == [2.5], "it waits")
        assert client.status() == STATUS, "others do not"
        assert not waiting.done()
        target.may_finish.set()
        client.status()  # wakes the loop, to which the test does not belong
        assert waiting.result(60) == STATUS
    assert target.waited == [2.5]


def test_who_waits_for_the_announcement_is_answered_at_once_when_the_target_stops() -> None:
    target = Target()
    with ThreadPoolExecutor() as threads:
        with controlled(target) as (client, _):
            target.may_finish.clear()
            waiting = threads.submit(client.status, announced_within=600)
            wait_until(lambda: target.waited == [600], "it waits")
        assert waiting.result(60) == STATUS


def test_an_entry_is_woken_and_put_to_sleep_or_it_is_said_why_not() -> None:
    target = Target()
    with controlled(target) as (client, _):
        client.wake("a")
        client.sleep("a")
        for order in (client.wake, client.sleep):
            with pytest.raises(UsageError, match="b never sleeps") as raised:
                order("b")
            assert raised.value.fix == "give it idle"
    assert target.ordered == ["wake a", "sleep a", "wake b", "sleep b"]


def test_what_fails_is_no_mistake_of_the_command_line() -> None:
    target = Target()
    with controlled(target) as (client, _), pytest.raises(StartError, match="a has no memory"):
        client.restart("a")
    assert target.ordered == ["restart a"]


def test_without_the_token_of_the_run_nothing_is_told() -> None:
    target = Target()
    with controlled(target, token="t0ke") as (client, _):  # noqa: S106  # of nobody
        with pytest.raises(MlApiError, match=r"HTTP 401"):
            client.status()
        with pytest.raises(MlApiError, match=r"HTTP 401"):
            client.reload(None)
    assert target.asked == []


def test_a_token_of_odd_bytes_is_a_wrong_one() -> None:
    with controlled(Target()) as (_, address):
        url = urlsplit(address)
        assert url.hostname is not None
        with contextlib.closing(HTTPConnection(url.hostname, url.port)) as http:
            http.request("GET", "/status", headers={"Authorization": b"Bearer \xff"})
            assert http.getresponse().status == 401


def ask(address: str, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    """Asks with the token, as any program could; returns the status and the body."""
    url = urlsplit(address)
    assert url.hostname is not None
    with contextlib.closing(HTTPConnection(url.hostname, url.port)) as http:
        headers = {"Authorization": "Bearer t0ken", "Content-Type": "application/json"}
        http.request(method, path, body=body, headers=headers)
        answer = http.getresponse()
        return answer.status, answer.read()


def test_a_time_to_wait_that_is_none_is_refused() -> None:
    target = Target()
    with controlled(target) as (_, address):
        for written in ("abc", "", "-1", "nan", "inf", "1e999", "1&announced_within=2"):
            status, body = ask(address, "GET", f"/status?announced_within={written}")
            assert status == 400, written
            error = json.loads(body)["error"]
            assert (error["type"], error["code"]) == ("invalid_request_error", "refused")
            assert error["message"] == "'announced_within' must be one number of seconds from 0 on."
    assert target.waited == []


@pytest.mark.parametrize("path", ["/reload", "/acts/wake"])
def test_a_body_that_is_no_object_is_refused(path: str) -> None:
    target = Target()
    with controlled(target) as (_, address):
        for body in (
            "",
            "{",
            "[]",
            "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
            "[" * 100_000,
        ):
            assert ask(address, "POST", path, body)[0] == 400, body[:10]
    assert (target.asked, target.ordered) == ([], [])


def test_a_config_that_is_no_path_is_refused() -> None:
    target = Target()
    with controlled(target) as (_, address):
        assert ask(address, "POST", "/reload", '{"config": 3}')[0] == 400
    assert target.asked == []


def test_a_reload_whose_caller_goes_away_is_finished() -> None:
    target = Target()
    with controlled(target) as (client, address):
        target.may_finish.clear()
        url = urlsplit(address)
        assert url.hostname is not None
        with contextlib.closing(HTTPConnection(url.hostname, url.port)) as http:
            headers = {"Authorization": "Bearer t0ken", "Content-Type": "application/json"}
            http.request("POST", "/reload", body='{"config": null}', headers=headers)
            wait_until(lambda: target.asked == [None], "it was asked")
        client.status()  # by then the server knows that the caller is gone
        target.may_finish.set()
        client.status()
        wait_until(lambda: target.finished == 1, "the reload is finished", seconds=5)


def test_a_bug_of_the_process_is_told_with_where_to_look() -> None:
    target = Target()
    target.bug = ValueError("oops")
    with controlled(target) as (client, _), pytest.raises(MlApiError) as refused:
        client.status()
    assert refused.value.message == f"mlapi (pid {RUN.pid}) met an unexpected error (HTTP 500)"
    assert (
        refused.value.fix
        == "its terminal says more, or where it runs in the background, its log: mlapi logs up"
    )


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:{port}"])
def test_a_process_that_does_not_listen_yet_does_not_answer(url: str) -> None:
    port = own_ports()
    client = ControlClient(RUN.reachable(url.format(port=port), "t0ken"), DEFAULT_STATE)
    with pytest.raises(NotRunningError) as refused:
        client.status()
    assert refused.value.message == f"mlapi (pid {RUN.pid}) does not answer"
    assert refused.value.fix == "try again, or end it: mlapi down"


def test_while_the_address_is_empty_nothing_is_asked() -> None:
    with pytest.raises(NotRunningError) as refused:
        ControlClient(RUN, DEFAULT_STATE).status()
    assert RUN.control_url == ""
    assert refused.value.__cause__ is None, "no request has failed"


class _EarlierVersion(BaseHTTPRequestHandler):
    """Knows less of itself than this version asks for."""

    def do_GET(self) -> None:
        body = json.dumps({"pid": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def earlier() -> Iterator[ControlClient]:
    server = HTTPServer(("127.0.0.1", 0), _EarlierVersion)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield ControlClient(RUN.reachable(f"http://127.0.0.1:{server.server_port}", "token"), DEFAULT_STATE)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("question", ["status", "traffic"])
def test_what_runs_since_before_an_upgrade_is_to_be_started_again(
    earlier: ControlClient, question: str
) -> None:
    with pytest.raises(MlApiError, match="another version") as refused:
        getattr(earlier, question)()
    assert "start it again, once it is stopped: mlapi down" in (refused.value.fix or "")
