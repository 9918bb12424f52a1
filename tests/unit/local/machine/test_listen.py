"""Ports on loopback are for programs of this machine: no web page of its browser is answered there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.local.run.control import build_control_application
from centralized_ml_api.local.sagemaker_runtime import build_application
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.traffic.metrics import build_metrics_application
from centralized_ml_api.local.traffic.types import Traffic
from support.background import Background, start_background

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiohttp import web

    from centralized_ml_api.organizer.journal import Actor

TOKEN = "t0ken"  # noqa: S105  # of nobody
STATUS = LocalStatus(1, "c.json", ".mlapi", 0.0, "http://a", "", "http://b", (), ())
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


class Idle:
    """Something to look at and to control, where nothing is called."""

    def status(self) -> LocalStatus:
        """How it is."""
        return STATUS

    async def until_announced(self, seconds: float) -> None:
        """Waits for nothing."""

    async def look(self) -> LocalStatus:
        """How it is."""
        return STATUS

    async def traffic(self) -> Traffic:
        """Nothing was called."""
        return Traffic(1.0, None)

    @property
    def board_link(self) -> str:
        """Where the organizer looks."""
        return "http://127.0.0.1:1/#token=x"

    async def reload(self, config: str | None) -> dict[str, Any]:
        """Which config it was told."""
        return {"config": config}

    async def act(self, act: str, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """What is to be done, and who wants it."""
        return {"act": act, **wanted, "by": by}


APPLICATIONS = {
    "/status": lambda: build_control_application(Idle(), TOKEN),
    "/metrics": lambda: build_metrics_application(Idle()),
    "/endpoints/none/invocations": lambda: build_application(lambda _: None, list, timeout_seconds=5),
}


@pytest.fixture
def background() -> Iterator[Background]:
    with start_background() as running:
        yield running


@contextlib.contextmanager
def served(background: Background, application: web.Application) -> Iterator[str]:
    stack, listening = contextlib.AsyncExitStack(), bind_loopback()
    background.run(serve_application(stack, application, listening, cancels=True))
    try:
        yield url_of(listening)
    finally:
        background.run(stack.aclose())


def ask(url: str, headers: dict[str, str]) -> int:
    method = "POST" if url.endswith("invocations") else "GET"
    with urllib3.PoolManager(retries=False) as http:
        return http.request(method, url, headers=headers).status


@pytest.mark.parametrize("path", APPLICATIONS)
def test_a_name_that_leads_to_loopback_is_not_answered(background: Background, path: str) -> None:
    with served(background, APPLICATIONS[path]()) as url:
        for host in ("evil.example", "127.0.0.1.evil.example:80", "169.254.169.254", "[::ffff:127.0.0.1]"):
            assert ask(f"{url}{path}", {**WITH_TOKEN, "Host": host}) == 403
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1"):
            assert ask(f"{url}{path}", {**WITH_TOKEN, "Host": host}) in {200, 400}


@pytest.mark.parametrize("path", APPLICATIONS)
def test_a_page_cannot_call_without_reading_the_answer_either(background: Background, path: str) -> None:
    with served(background, APPLICATIONS[path]()) as url:
        for origin in ("https://evil.example", "null", "http://127.0.0.1:8080"):
            assert ask(f"{url}{path}", {**WITH_TOKEN, "Origin": origin}) == 403


@pytest.mark.parametrize(
    "shown", [{}, {"Authorization": ""}, {"Authorization": TOKEN}, {"Authorization": "Bearer t0ke\xff"}]
)
def test_who_has_not_read_the_token_controls_nothing(background: Background, shown: dict[str, str]) -> None:
    with served(background, build_control_application(Idle(), TOKEN)) as url:
        for path in ("/status", "/traffic", "/reload", "/nope"):
            assert ask(f"{url}{path}", shown) == 401
