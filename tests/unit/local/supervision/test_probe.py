"""Whether a server is ready, by one look at it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from centralized_ml_api.local.supervision import http_get
from centralized_ml_api.local.supervision.http_get import BODY_BYTES
from centralized_ml_api.local.supervision.probe import (
    Prober,
    ProbeResult,
    says_when_it_closes,
)
from support.certificate import write_certificate
from support.own_ports import own_ports

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

T = TypeVar("T")


def probed(look: Callable[[Prober], Awaitable[T]]) -> T:
    async def main() -> T:
        return await look(Prober())

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, ProbeResult.READY),
        (204, ProbeResult.READY),
        (307, ProbeResult.NOT_READY),
        (404, ProbeResult.NOT_READY),
        (503, ProbeResult.NOT_READY),
    ],
)
def test_ready_is_any_2xx(status: int, result: ProbeResult) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async def look(prober: Prober) -> ProbeResult:
        application = web.Application()
        application.router.add_get("/ping", answer)
        async with TestServer(application) as server:
            return await prober.probe(str(server.make_url("/ping")))

    assert probed(look) is result


def test_a_port_where_nobody_listens_refuses() -> None:
    port = own_ports()
    assert probed(lambda prober: prober.probe(f"http://127.0.0.1:{port}/ping")) is ProbeResult.REFUSED
    assert probed(lambda prober: prober.probe_port("127.0.0.1", port)) is ProbeResult.REFUSED


def test_a_server_that_takes_connections_and_does_not_answer_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        url = f"http://127.0.0.1:{port}/ping"
        assert probed(lambda prober: prober.probe(url, timeout_seconds=0.05)) is ProbeResult.SILENT
        assert probed(lambda prober: prober.probe_port("127.0.0.1", port)) is ProbeResult.READY


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1/", "http://127.0.0.1:99999/"])
def test_an_address_that_is_none_never_raises(url: str) -> None:
    assert probed(lambda prober: prober.probe(url)) is not ProbeResult.READY


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (200, '{"a": {"b": true}}', {"a": {"b": True}}),
        (200, "[1]", {}),
        (200, "{", {}),
        (200, "", {}),
        (200, "[" * 100_000, {}),
        (200, '{"a": "' + "x" * BODY_BYTES + '"}', {}),
        (404, '{"a": 1}', {}),
    ],
)
def test_a_server_describes_itself_by_a_json_object_or_not_at_all(
    status: int, text: str, said: dict[str, Any]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    async def look(prober: Prober) -> dict[str, Any]:
        application = web.Application()
        application.router.add_get("/about", answer)
        async with TestServer(application) as server:
            return await prober.describe(str(server.make_url("/about")))

    assert probed(look) == said


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (CHUNKED + b'4\r\n{"a"\r\n3\r\n: 1\r\n1;more\r\n}\r\n0\r\nx-sum: 1\r\n\r\n', {"a": 1}),
        (OK + b'\r\n{"a": 1}', {"a": 1}),
        (CHUNKED + b'8\r\n{"a": 1}\r\n', {}),
        (CHUNKED + b'8\r\n{"a": 1}\r\n' + b"100000\r\n" + b" " * BODY_BYTES + b"\r\n0\r\n\r\n", {}),
        (OK + b'\r\n{"a": 1}' + b" " * BODY_BYTES, {}),
    ],
)
def test_a_server_may_describe_itself_in_chunks_or_until_it_closes(
    answer: bytes, said: dict[str, Any]
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        writer.close()

    async def look(prober: Prober) -> dict[str, Any]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await prober.describe(f"http://127.0.0.1:{port}/", timeout_seconds=30)

    assert probed(look) == said


def test_one_that_refuses_or_does_not_answer_describes_nothing() -> None:
    assert probed(lambda prober: prober.describe(f"http://127.0.0.1:{own_ports()}/")) == {}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert probed(lambda prober: prober.describe(url, timeout_seconds=0.05)) == {}


@pytest.mark.parametrize(
    ("server", "keeps"),
    [
        ("uvicorn", True),
        ("nginx/1.28.0 (Ubuntu)", True),
        ("TornadoServer/6.5", True),
        ("Python/3.13 aiohttp/3.14.5", True),
        ("llama.cpp", False),
        ("BaseHTTP/0.6 Python/3.13.0", False),
        ("not-nginx", False),
        ("nginx-like/1", False),
        ("", False),
    ],
)
def test_the_products_that_keep_connections_are_known_by_name(
    server: str,
    keeps: bool,  # noqa: FBT001  # a column
) -> None:
    assert says_when_it_closes(server) is keeps


@pytest.mark.parametrize(("status", "path"), [(200, "/"), (302, "/up?a=1"), (404, "/none"), (503, "")])
@pytest.mark.parametrize(("server", "keeps"), [(None, True), ("llama.cpp", False)])
def test_any_answer_tells_whether_its_server_keeps_connections(
    status: int, path: str, server: str | None, *, keeps: bool
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path_qs}")
        named = {} if server is None else {"Server": server}  # aiohttp names itself
        return web.Response(status=status, headers={"Location": "/elsewhere", **named})

    async def look(prober: Prober) -> bool:
        application = web.Application()
        application.router.add_get("/{path:.*}", answer)
        async with TestServer(application) as running:
            return await prober.keeps_connections(f"http://127.0.0.1:{running.port}{path}")

    assert probed(look) is keeps
    assert asked == [f"GET {path or '/'}"]


@pytest.mark.parametrize(
    ("answer", "closes", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\nServer: uvicorn\r\nContent-Length: 2\r\n\r\nhi", False, True),
        (b"HTTP/1.1 200 OK\r\nServer: uvicorn\r\nContent-Length: 2\r\n\r\nhi", True, False),
        (b"HTTP/1.1 200 OK\r\nServer: uvicorn\r\nConnection: Close\r\n\r\nhi", True, True),
        (b"HTTP/1.0 200 OK\r\nServer: uvicorn\r\n\r\nhi", True, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False, False),
        (b"this is not HTTP", True, False),
        (b"x" * 100_000, True, False),
    ],
)
def test_a_server_that_closes_unannounced_keeps_no_connections_whatever_it_is(
    answer: bytes, *, closes: bool, keeps: bool
) -> None:
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            if not closes:
                assert await reader.read() == b"", "nothing more is sent"
        writer.close()
        left.set()

    async def look(prober: Prober) -> bool:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            told = await prober.keeps_connections(f"http://127.0.0.1:{port}/", timeout_seconds=30)
            await asyncio.wait_for(left.wait(), 30)
            return told

    assert probed(look) is keeps


def test_a_server_that_refuses_or_does_not_answer_keeps_no_connections() -> None:
    assert not probed(lambda prober: prober.keeps_connections(f"http://127.0.0.1:{own_ports()}/"))
    assert not probed(lambda prober: prober.keeps_connections("http://127.0.0.1:99999/"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert not probed(lambda prober: prober.keeps_connections(url, timeout_seconds=0.05))


def test_a_probe_that_is_cancelled_never_goes_on() -> None:
    """Not even where the port answers at that very moment: whoever is stopped would probe for ever."""

    async def main() -> None:
        prober = Prober()
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        turns, is_over = 0, False
        while not is_over:
            probing = asyncio.create_task(prober.probe_port("127.0.0.1", port))
            for _ in range(turns):
                await asyncio.sleep(0)
            is_over = probing.done()
            probing.cancel()
            await asyncio.wait({probing})
            assert probing.cancelled() is not is_over, f"cancelled after {turns} turns, it went on"
            turns += 1
        server.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ProbeResult.READY),
        (b"HTTP/1.1 200\r\n\r\n", ProbeResult.READY),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nhi", ProbeResult.READY),
        (b"HTTP/1.1 200 OK\r\nContent-Length: none\r\n\r\nhi", ProbeResult.READY),
        (b"HTTP/1.1 OK\r\n\r\n", ProbeResult.SILENT),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ProbeResult.SILENT),
        (b"HTTP/1.1 200 OK\r\n", ProbeResult.SILENT),
        (b"x" * 100_000, ProbeResult.SILENT),
        (b"", ProbeResult.SILENT),
    ],
)
def test_the_status_alone_decides_whatever_the_body_is(answer: bytes, result: ProbeResult) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
        writer.close()

    async def look(prober: Prober) -> ProbeResult:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await prober.probe(f"http://127.0.0.1:{port}/häu fig?a=b%20c", timeout_seconds=30)

    assert probed(look) is result
    (head,) = asked
    assert head.startswith(b"GET /h%C3%A4u%20fig?a=b%20c HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nConnection: close\r\n" in head


@pytest.mark.parametrize(("name", "result"), [("localhost", "READY"), ("other.example", "REFUSED")])
def test_a_server_with_tls_is_asked_once_its_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, result: str
) -> None:
    certificate = write_certificate(tmp_path / "certificate.pem", name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setattr(http_get, "_build_context", http_get._build_context.__wrapped__)  # noqa: SLF001  # another trust

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b'HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 8\r\n\r\n{"a": 1}')
            await reader.read()  # until whoever asked has gone
        writer.close()

    async def look(prober: Prober) -> tuple[list[ProbeResult], dict[str, Any], bool]:
        async with await asyncio.start_server(serve, "localhost", 0, ssl=context) as server:
            url = f"https://localhost:{server.sockets[0].getsockname()[1]}/"
            untrusted = await prober.probe(url, timeout_seconds=30)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            trusted = await prober.probe(url, timeout_seconds=30)
            about = await prober.describe(url, timeout_seconds=30)
            return [untrusted, trusted], about, await prober.keeps_connections(url, timeout_seconds=30)

    is_ready = result == "READY"
    results = [ProbeResult.REFUSED, ProbeResult[result]]
    assert probed(look) == (results, {"a": 1} if is_ready else {}, is_ready)
