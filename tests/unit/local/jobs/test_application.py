"""What callers are told of jobs, asked as the gateway asks."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.gateway import (
    DOOR_CALLER_HEADER,
    DOOR_HOST_HEADER,
    DOOR_MODEL_HEADER,
    DOOR_TEAM_HEADER,
    JOIN_PROOF_HEADER,
)
from centralized_ml_api.local.jobs.application import build_jobs_application
from centralized_ml_api.local.jobs.book import JobBook
from centralized_ml_api.local.jobs.runner import JobRunner
from centralized_ml_api.local.jobs.store import JobStore
from centralized_ml_api.local.jobs.types import Answered, Asked, JobLimits
from support.fake_target import NOON, HandClock, soon
from support.story import story

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp import ClientResponse

TOKEN = "t0ken"  # noqa: S105  # of the test
EVENTS = Answered(418, (("content-type", "text/event-stream"), ("x-request-id", "req-7"), ("x-many", "a")))


class Api:
    """The application of a book, and a runner whose calls answer once they may."""

    def __init__(self, folder: Path, **limits: int) -> None:
        self.book = JobBook(JobStore(folder), JobLimits(**limits), clock=HandClock().clock)
        self.runner = JobRunner(self.book, self.call)
        self.called, self.may_answer = asyncio.Event(), asyncio.Event()
        self.client: TestClient[Any, Any]

    @contextlib.asynccontextmanager
    async def call(self, asked: Asked, request: Path) -> AsyncIterator[tuple[Answered, AsyncIterator[bytes]]]:
        self.called.set()
        await self.may_answer.wait()
        assert asked.path
        yield EVENTS, self.body(await asyncio.to_thread(request.read_bytes))

    async def body(self, request: bytes) -> AsyncIterator[bytes]:
        yield b"data: "
        yield request

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.runner.run())
        server = TestServer(build_jobs_application(self.book, self.runner, TOKEN))
        async with TestClient(server) as self.client:
            yield
        running.cancel()
        await asyncio.wait([running])

    async def ask(
        self, method: str, path: str, team: str = "red", body: bytes | io.BytesIO = b"", **headers: str
    ) -> ClientResponse:
        told = {
            JOIN_PROOF_HEADER: TOKEN,
            DOOR_TEAM_HEADER: team,
            DOOR_MODEL_HEADER: "chat",
            DOOR_CALLER_HEADER: "10.0.0.7:4711",
            DOOR_HOST_HEADER: "api.example",
            "X-Request-Id": "req-1",
            "Host": "localhost",
        }
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        answer: ClientResponse = await self.client.request(method, path, data=body, headers={**told, **own})
        return answer

    async def added(self, path: str = "/chat", team: str = "red") -> str:
        answer = await self.ask("POST", path, team, b"body")
        assert answer.status == 202
        return answer.headers["Location"]

    async def over(self, location: str, team: str = "red") -> ClientResponse:
        job_id = location.rpartition("/")[2]
        await soon(lambda: (job := self.book.find(job_id, team)) is not None and not job.is_open)
        return await self.ask("GET", location, team)


async def code(answer: ClientResponse) -> tuple[int, str]:
    told = (await answer.json())["error"]
    assert told["request_id"] == "req-1"
    return answer.status, told["code"]


def test_a_call_is_taken_and_told_where_its_answer_will_be(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path, running=1)
        async with api.serving():
            await api.added()
            answer = await api.ask("POST", "/chat", body=b"x")
            told = await answer.json()
            job_id = told["id"]
            expected = {"object": "job", "status": "queued", "model": "chat", "ahead": 0}
            assert told == {"id": job_id, **expected, "created_at": int(NOON.timestamp())}
            assert answer.headers["Location"] == f"/v1/jobs/{job_id}"
            assert answer.headers["Preference-Applied"] == "respond-async"
            assert answer.headers["Content-Type"] == "application/json"
            looked = await api.ask("GET", f"/v1/jobs/{job_id}")
            assert (looked.status, looked.headers["Retry-After"]) == (202, "5")
            assert await looked.json() == told
            assert "Preference-Applied" not in looked.headers

    story(tell)


def test_the_answer_is_what_it_would_have_been(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        api.may_answer.set()
        async with api.serving():
            location = await api.added()
            answer = await api.over(location)
            assert (answer.status, await answer.read()) == (418, b"data: body")
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert (answer.headers["X-Request-Id"], answer.headers["X-Many"]) == ("req-7", "a")
            assert answer.headers["Content-Length"] == "10"
            head = await api.ask("HEAD", location)
            assert (head.status, head.headers["Content-Length"], await head.read()) == (418, "10", b"")

    story(tell)


@pytest.mark.parametrize(
    ("path", "model"),
    [("/chat", "chat"), ("/echo?x=1", "echo"), ("/tell/v1/completions", "tell"), ("/v1/messages", "chat")],
)
def test_the_model_is_that_of_the_path_or_of_the_body(tmp_path: Path, path: str, model: str) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        async with api.serving():
            await api.added(path)
            (job,) = api.book.list_of("red")
            assert (job.asked.model, job.asked.path) == (model, path)

    story(tell)


def test_no_file_has_a_credential_or_what_the_gateway_tells(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        async with api.serving():
            secret = dict.fromkeys(("Authorization", "X_Api_Key", "Cookie", "Proxy_Authorization"), "s3cret")
            await api.ask(
                "POST", "/chat", body=b"x", X_Own="kept", Prefer="respond-async", X_Envoy_A="1", **secret
            )
            (job,) = api.book.list_of("red")
            kept = dict(job.asked.headers)
            assert kept["x-own"] == "kept"
            assert not {"prefer", "host", "content-length", "x-request-id", "x-envoy-a"} & kept.keys()
            assert not [name for name in kept if name.startswith("x-mlapi-")]
            assert (job.asked.caller, job.asked.host) == ("10.0.0.7:4711", "api.example")
            written = "".join(path.read_text() for path in (tmp_path / "jobs").iterdir())
            assert "s3cret" not in written
            assert TOKEN not in written

    story(tell)


def test_another_team_and_an_unknown_id_are_told_the_same(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        async with api.serving():
            location = await api.added()
            for method in ("GET", "DELETE"):
                for path, team in ((location, "blue"), (location, "-"), ("/v1/jobs/job_0", "red")):
                    assert await code(await api.ask(method, path, team)) == (404, "job_not_found")
            assert (await api.ask("GET", location)).status == 202

    story(tell)


def test_a_team_lists_its_own_jobs_and_without_teams_nobody_does(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        async with api.serving():
            first, second = await api.added(), await api.added()
            await api.added(team="blue")
            open_to_all = await api.added(team="-")
            told = await (await api.ask("GET", "/v1/jobs")).json()
            assert told["object"] == "list"
            assert [f"/v1/jobs/{job['id']}" for job in told["data"]] == [second, first]
            assert (await (await api.ask("GET", "/v1/jobs", "-")).json())["data"] == []
            assert (await api.ask("GET", open_to_all, "-")).status == 202

    story(tell)


def test_a_job_is_cancelled_then_forgotten(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        async with api.serving():
            location = await api.added()
            await soon(lambda: api.book.count("running"))
            for method in ("DELETE", "GET", "DELETE"):
                answer = await api.ask(method, location)
                told = await answer.json()
                assert (answer.status, told["status"]) == (200, "cancelled")
                assert "ahead" not in told
            assert await code(await api.ask("GET", location)) == (404, "job_not_found")

    story(tell)


def test_a_job_that_is_done_is_forgotten(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        api.may_answer.set()
        async with api.serving():
            location = await api.added()
            await api.over(location)
            answer = await api.ask("DELETE", location)
            assert (answer.status, (await answer.json())["status"]) == (200, "failed")
            assert (await api.ask("GET", location)).status == 404
            assert list((tmp_path / "jobs").iterdir()) == []

    story(tell)


def test_an_answer_that_is_removed_before_it_is_opened_is_gone(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        api.may_answer.set()
        async with api.serving():
            location = await api.added()
            await api.over(location)
            (job,) = api.book.list_of("red")
            api.book.store.remove(job)
            assert await code(await api.ask("GET", location)) == (404, "job_not_found")

    story(tell)


def test_there_may_be_too_many(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path, kept_per_team=1)
        async with api.serving():
            await api.added()
            answer = await api.ask("POST", "/chat")
            assert await code(answer) == (429, "too_many_jobs")
            assert answer.headers["Retry-After"] == "5"
            assert "Location" not in answer.headers

    story(tell)


@pytest.mark.parametrize("path", ["/chat", "/v1/messages", "/chat/v1/messages?beta=true"])
def test_a_job_that_broke_off_says_so_in_the_shape_of_its_path(tmp_path: Path, path: str) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        async with api.serving():
            location = await api.added(path)
            await api.called.wait()  # by then, nobody notes any more that it runs
            (job,) = api.book.list_of("red")
            await api.book.fail(job, errors.JOB_INTERRUPTED)
            answer = await api.ask("GET", location)
            told = json.loads(await answer.read())
            assert answer.status == 502
            assert told["error"]["message"] == errors.JOB_INTERRUPTED.message
            assert ("type" in told) == ("messages" in path)

    story(tell)


def test_whoever_has_no_proof_learns_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        async with api.serving():
            location = await api.added()
            for proof in ("", "wrong", "t0kén"):
                answer = await api.ask("GET", location, X_Mlapi_Door=proof)
                assert answer.status == 401
            page = await api.ask("GET", location, Origin="https://page.example")
            assert page.status == 403

    story(tell)


def test_a_disk_that_refuses_is_the_apis_failure(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path / "missing")
        async with api.serving():
            assert await code(await api.ask("POST", "/chat")) == (500, "api_failed")

    story(tell)


def test_a_body_may_be_as_large_as_the_gateway_lets_pass(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path)
        async with api.serving():
            answer = await api.ask("POST", "/chat", body=io.BytesIO(bytes(25 * 1024 * 1024)))
            assert answer.status == 202

    story(tell)


def test_the_list_says_how_many_are_ahead_of_each_and_of_one_that_runs_none(tmp_path: Path) -> None:
    async def tell() -> None:
        api = Api(tmp_path, running=1)
        async with api.serving():
            first = (await api.added()).rpartition("/")[2]
            await soon(lambda: (job := api.book.find(first, "red")) is not None and job.status == "running")
            for _ in range(2):
                await api.added()
            told = await (await api.ask("GET", "/v1/jobs")).json()
            assert [(job["status"], job["ahead"]) for job in told["data"]] == [
                ("queued", 1),
                ("queued", 0),
                ("running", 0),
            ]

    story(tell)
