"""The Runtime API as AWS's client uses it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest

from centralized_ml_api.local.lambda_host.runtime_api import (
    PAYLOAD_LIMIT_BYTES,
    Failed,
    Invocation,
    Returned,
    RuntimeApi,
)
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ARN = "arn:aws:lambda:us-east-1:000000000000:function:echo"


class Client:
    """A runtime client; `polls` counts how often the API heard that it asks for work."""

    def __init__(self) -> None:
        self.polls = 0
        self.api = RuntimeApi(function_arn=ARN, polled=self._count)
        self._url = ""

    def _count(self) -> None:
        self.polls += 1

    async def run(self, scenario: Callable[[Client], Awaitable[None]]) -> None:
        """Runs a scenario between the start and the end of the API."""
        self._url = f"http://{await self.api.start()}/2018-06-01/runtime"
        try:
            await scenario(self)
        finally:
            await self.api.stop()

    async def next(self) -> tuple[bytes, dict[str, str]]:
        """Asks for the next invocation: its event and the headers."""
        async with aiohttp.request("GET", f"{self._url}/invocation/next") as response:
            return await response.read(), dict(response.headers)

    async def post(self, path: str, body: bytes) -> int:
        """Reports something; returns the status."""
        async with aiohttp.request("POST", f"{self._url}/{path}", data=io.BytesIO(body)) as response:
            return response.status


def test_a_worker_that_waits_for_work_does_not_hold_up_the_end() -> None:
    async def main() -> None:
        client = Client()
        address = await client.api.start()
        async with aiohttp.ClientSession() as session:
            asking = asyncio.create_task(session.get(f"http://{address}/2018-06-01/runtime/invocation/next"))
            await until(lambda: client.polls, "the worker asks for work")
            async with asyncio.timeout(30):  # aiohttp's own patience is a minute
                await client.api.stop()
            with pytest.raises(aiohttp.ClientError):
                await asking

    asyncio.run(main())


def play(scenario: Callable[[Client], Awaitable[None]]) -> Client:
    async def main() -> Client:
        client = Client()
        await client.run(scenario)
        return client

    return asyncio.run(main())


def test_the_next_invocation_comes_with_its_id_its_deadline_and_the_functions_arn() -> None:
    async def scenario(client: Client) -> None:
        client.api.give(Invocation("r-1", b'{"a": 1}'), deadline=1.5)
        event, headers = await client.next()
        assert event == b'{"a": 1}'
        assert headers["Lambda-Runtime-Aws-Request-Id"] == "r-1"
        assert headers["Lambda-Runtime-Deadline-Ms"] == "1500"
        assert headers["Lambda-Runtime-Invoked-Function-Arn"] == ARN
        assert client.polls == 1

    play(scenario)


def test_a_response_is_the_outcome_and_only_of_the_current_invocation() -> None:
    async def scenario(client: Client) -> None:
        assert await client.post("invocation/r-1/response", b"{}") == 400
        invocation = Invocation("r-1", b"{}")
        client.api.give(invocation, deadline=0)
        assert await client.post("invocation/other/response", b"{}") == 400
        assert not invocation.outcome.done()
        assert await client.post("invocation/r-1/response", b'{"b": 2}') == 202
        assert invocation.outcome.result() == Returned(b'{"b": 2}')
        assert await client.post("invocation/r-1/response", b"{}") == 400, "it was answered already"

    play(scenario)


def test_a_response_over_the_limit_is_a_failure() -> None:
    async def scenario(client: Client) -> None:
        invocation = Invocation("r-1", b"{}")
        client.api.give(invocation, deadline=0)
        assert await client.post("invocation/r-1/response", b"x" * (PAYLOAD_LIMIT_BYTES + 1)) == 202
        assert invocation.outcome.result() == Failed(
            502, "the function's response is larger than 6 MB, Lambda's limit"
        )

    play(scenario)


@pytest.mark.parametrize(
    ("reported", "reason"),
    [
        (
            {"errorType": "KeyError", "errorMessage": "no such\nthing", "stackTrace": ["x"]},
            "KeyError: no such",
        ),
        ({"errorType": "KeyError"}, "KeyError"),
        ({"errorMessage": "odd"}, "an error: odd"),
        ({"errorType": "E", "errorMessage": "x" * 999}, "E: " + "x" * 297),
        (None, "an error"),
    ],
)
def test_an_error_is_its_type_and_first_line_without_the_stack_trace(
    reported: dict[str, object] | None, reason: str
) -> None:
    body = json.dumps(reported).encode() if reported else b"no JSON"

    async def scenario(client: Client) -> None:
        invocation = Invocation("r-1", b"{}")
        client.api.give(invocation, deadline=0)
        assert await client.post("invocation/r-1/error", body) == 202
        assert invocation.outcome.result() == Failed(502, f"the function raised {reason}")
        assert await client.post("init/error", body) == 202
        assert client.api.init_failure == Failed(502, f"the function could not be loaded: {reason}")

    play(scenario)


def test_whoever_knows_the_outcome_first_sets_it() -> None:
    async def scenario() -> None:
        invocation = Invocation("r-1", b"{}")
        invocation.settle(Returned(b"first"))
        invocation.settle(Failed(504, "later"))
        assert await invocation.outcome == Returned(b"first")

    asyncio.run(scenario())
