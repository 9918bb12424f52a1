from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy import admin
from centralized_ml_api.local.envoy.admin import SOCKET_PATH_BYTES, Admin, shorten_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SIZED = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n"


@contextlib.asynccontextmanager
async def answering(folder: Path, received: bytes) -> AsyncIterator[Admin]:
    """An admin socket that answers one request with these bytes, and closes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(received)
        writer.close()

    async with await asyncio.start_unix_server(answer, folder / "admin.sock"):
        yield Admin(folder / "admin.sock")


@pytest.mark.parametrize(
    ("received", "body"),
    [
        (SIZED + b"LIVE", b"LIVE"),
        (SIZED + b"\r\n\r\n", b"\r\n\r\n"),
        (CHUNKED + b"0\r\n\r\n", b""),
        (CHUNKED + b"4\r\nLI\r\n\r\n1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n", b"LI\r\n" + b"x" * 26),
    ],
)
def test_a_response_is_read_with_its_length_and_in_chunks(
    tmp_path: Path, received: bytes, body: bytes
) -> None:
    async def ask() -> str:
        async with answering(tmp_path, received) as asked:
            return await asked.prometheus(".*")

    assert asyncio.run(ask()) == body.decode()


@pytest.mark.parametrize(
    "received",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\nLIVE",
        SIZED + b"LIV",
        SIZED + b"LIVE!",
        CHUNKED,
        CHUNKED + b"4\r\nLIVE\r\n",
        CHUNKED + b"4\r\nLI",
        CHUNKED + b"4\r\nLIVE\r\n0\r\n",
        CHUNKED + b"four\r\nLIVE\r\n0\r\n\r\n",
    ],
)
def test_a_response_that_breaks_off_is_none(tmp_path: Path, received: bytes) -> None:
    async def ask() -> None:
        async with answering(tmp_path, received) as asked:
            with pytest.raises(StartError, match="does not answer on its admin socket"):
                await asked.is_live()

    asyncio.run(ask())


def test_a_gateway_that_was_just_killed_is_asked_once_more(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="does not answer on its admin socket: FileNotFoundError") as raised:
        asyncio.run(Admin(tmp_path / "admin.sock").is_live())
    assert raised.value.fix == (
        "if it is being started again, try once more in some seconds; otherwise, read its log"
    )


def test_the_port_is_that_of_the_listener_that_has_one_wherever_it_stands(tmp_path: Path) -> None:
    pipe = {"local_address": {"pipe": {"path": "servers.sock"}}}
    port = {"local_address": {"socket_address": {"address": "127.0.0.1", "port_value": 8080}}}
    body = json.dumps({"listener_statuses": [pipe, port, pipe]}).encode()

    async def ask() -> int:
        sized = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
        async with answering(tmp_path, sized + body) as asked:
            return await asked.bound_port()

    assert asyncio.run(ask()) == 8080


def test_who_asks_says_how_long_an_envoy_that_reads_its_routes_may_take(tmp_path: Path) -> None:
    async def ask() -> None:
        closed = asyncio.Event()

        async def answer_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()  # until whoever asked has gone
            writer.close()
            await writer.wait_closed()
            closed.set()

        async with (
            await asyncio.start_unix_server(answer_nothing, tmp_path / "admin.sock"),
            asyncio.timeout(4),  # less than what is waited by default
        ):
            with pytest.raises(StartError, match="does not answer on its admin socket: TimeoutError"):
                await Admin(tmp_path / "admin.sock", timeout_seconds=0.05).is_live()
            await closed.wait()

    asyncio.run(ask())


def test_a_path_that_fits_stays_as_it_is() -> None:
    path = Path("/") / ("x" * (SOCKET_PATH_BYTES - 1))
    with shorten_path(path) as short:
        assert short == str(path)


@pytest.fixture(params=[True, False], ids=["Linux", "macOS"])
def descriptors(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the system shows a process its open folders by paths."""
    if not request.param:
        monkeypatch.setattr(admin, "_DESCRIPTORS", tmp_path / "nowhere")
    return bool(request.param)


@pytest.mark.parametrize("folder", ["x" * SOCKET_PATH_BYTES, "ü" * (SOCKET_PATH_BYTES // 2)])
def test_a_path_that_is_too_long_leads_to_the_same_socket(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch, *, descriptors: bool
) -> None:
    temporary = tmp_path / "t"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = tmp_path / folder / "a.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with shorten_path(path) as short:
            assert len(os.fsencode(short)) <= SOCKET_PATH_BYTES
            server.bind(short)
            server.listen()
            client.connect(short)
            made = [*temporary.iterdir()]
            assert not (descriptors and made), "a killed process would leave that"
        assert path.is_socket()
        assert not Path(short).parent.exists(), "neither a link nor a descriptor is left behind"
        assert [*temporary.iterdir()] == []


@pytest.mark.usefixtures("descriptors")
def test_a_long_folder_for_temporary_files_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / ("t" * SOCKET_PATH_BYTES)
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with shorten_path(temporary / "a.sock") as short:
        assert len(short) <= SOCKET_PATH_BYTES
        assert Path(short).parent.samefile(temporary)
