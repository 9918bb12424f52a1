"""What Envoy sends on its connections, in pieces or whole, and what it gets."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.local.admission.envoy_connection import read_request, render_response, start_answering
from centralized_ml_api.local.admission.exchange import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    Answer = Callable[[Request], Response | Coroutine[Any, Any, Response]]

CALL = b"POST /call HTTP/1.1\r\nhost: admission\r\nx-call: 192.0.2.1:1 7\r\ncontent-length: 5\r\n\r\nhello"
READ = Request("/call", {"host": "admission", "x-call": "192.0.2.1:1 7", "content-length": "5"}, b"hello")
ENDS = (
    b"POST /ends HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n6\r\nfirst,\r\nB\r\n and second\r\n0\r\n\r\n"
)
EMPTY = b"GET /call HTTP/1.1\r\nhost: admission\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (CALL, READ),
        (ENDS, Request("/ends", {"transfer-encoding": "chunked"}, b"first, and second")),
        (EMPTY, Request("/call", {"host": "admission"})),
        (b"GET /call HTTP/1.1\r\nx-type: a/b; x=\xff\r\n\r\n", Request("/call", {"x-type": "a/b; x=\ufffd"})),
    ],
    ids=["with a length", "in chunks", "without a body", "with a Content-Type that is no UTF-8"],
)
def test_a_request_is_read_once_it_is_complete(sent: bytes, read: Request) -> None:
    for length in range(len(sent)):
        request, needed = read_request(bytearray(sent[:length]))
        assert request is None
        assert length < needed <= len(sent), "who waits for so much does not wait for ever"
    assert read_request(bytearray(sent)) == (read, 0)


@pytest.mark.parametrize(
    "sent", [b"\xff\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n", ENDS.replace(b"6", b"x")]
)
def test_what_is_no_request_is_an_error(sent: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # any
        read_request(bytearray(sent))


def test_a_response_has_its_length() -> None:
    response = Response({"x-verdict": "go", "x-body": "yes"}, b"new")
    assert render_response(response) == (
        b"HTTP/1.1 200 OK\r\nx-verdict: go\r\nx-body: yes\r\ncontent-length: 3\r\n\r\nnew"
    )


async def echo(request: Request) -> Response:
    return echo_at_once(request)


def echo_at_once(request: Request) -> Response:
    return Response({"x-verdict": "go"}, request.body)


ECHOED = render_response(Response({"x-verdict": "go"}, b"hello"))
HEARD = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@contextlib.asynccontextmanager
async def connected(
    answer: Answer, heard: list[bytes] | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "s"))
        server = await start_answering(path, answer, ([] if heard is None else heard).append)
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            yield reader, writer
        finally:
            writer.close()
            server.close()


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await main()

    asyncio.run(bounded())


@pytest.mark.parametrize("answer", [echo, echo_at_once])
def test_a_connection_takes_one_request_after_the_other(answer: Answer) -> None:
    async def main() -> None:
        heard: list[bytes] = []
        async with connected(answer, heard) as (reader, writer):
            for _ in range(2):
                writer.write(CALL)
                assert await reader.readexactly(len(ECHOED)) == ECHOED
                writer.write(ENDS)
                assert await reader.readexactly(len(HEARD)) == HEARD
        assert heard == [b"first, and second"] * 2

    run(main)


def test_a_request_may_come_in_pieces() -> None:
    async def main() -> None:
        async with connected(echo) as (reader, writer):
            for byte in CALL:
                writer.write(bytes((byte,)))
                await asyncio.sleep(0)
            assert await reader.readexactly(len(ECHOED)) == ECHOED

    run(main)


def test_what_a_caller_asked_who_has_left_is_given_up() -> None:
    async def main() -> None:
        asked, given_up = asyncio.Event(), asyncio.Event()

        async def wait(_: Request) -> Response:
            asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()
            raise AssertionError

        async with connected(wait) as (_, writer):
            writer.write(CALL)
            await asked.wait()
            assert not given_up.is_set()
            writer.close()
            await given_up.wait()

    run(main)


def test_a_connection_closes_where_there_is_no_answer() -> None:
    async def main() -> None:
        async def fail(_: Request) -> Response:
            raise KeyError("a bug")

        def fail_at_once(_: Request) -> Response:
            raise KeyError("a bug")

        said: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, about: said.append(about["message"]))
        for answer, sent in ((fail, CALL), (fail_at_once, CALL), (fail, b"nonsense\r\n\r\n")):
            async with connected(answer) as (reader, writer):
                writer.write(sent)
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
        assert len(said) == 3, "the log has the reason"

    run(main)
