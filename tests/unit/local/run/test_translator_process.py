"""The supervised translator: what is started, and when it is ready."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.headers import OWN_REPLY_HEADER
from centralized_ml_api.local.run.translator_process import SupervisedTranslator, can_translate, find_node
from centralized_ml_api.local.supervision.process import ServerLog
from support.children import find_children

if TYPE_CHECKING:
    from pathlib import Path


def translator(folder: Path) -> SupervisedTranslator:
    (folder / "logs").mkdir()
    return SupervisedTranslator(folder / "gateway", ServerLog(folder / "logs/translator.log"))


def test_it_is_node_with_the_script_of_this_package(tmp_path: Path) -> None:
    node, script = translator(tmp_path).build_argv()
    assert node == str(find_node())
    assert find_node().name == "node"
    assert find_node().is_file()
    assert script.endswith("/local/run/translator_server.mjs")
    assert can_translate()


def test_it_is_ready_once_it_takes_connections(tmp_path: Path) -> None:
    async def tell() -> None:
        process = translator(tmp_path)
        (tmp_path / "gateway").mkdir()
        assert not await process.is_ready()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "gateway/translator.sock"))
            listening.listen()
            assert await process.is_ready()
        with pytest.raises(StartError, match=r"the translator did not start within 0\.05 seconds") as refused:
            await process.wait_ready(0.05)
        assert refused.value.fix == f"the whole log: mlapi logs translator --state {tmp_path}"

    asyncio.run(tell())


@pytest.mark.slow
@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_no_socket_is_left(tmp_path: Path, *, kill: bool) -> None:
    async def tell() -> None:
        process = translator(tmp_path)
        others = find_children("translator_server.mjs")  # of servers that other tests of this run share
        await process.start()
        await process.wait_ready()
        (node,) = {*find_children("translator_server.mjs")} - {*others}
        if kill:
            node.kill()
        await process.stop()
        assert list((tmp_path / "gateway").iterdir()) == []

    asyncio.run(tell())


async def ask(folder: Path, answer: bytes, more: str = "") -> tuple[int, str | None]:
    """Asks the translator while the model's server gives this answer; returns the status and the mark.

    `more` is what else the gateway tells it.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    asked = {"client": "anthropic-messages", "server": "openai-chat", "cluster": "c", "authority": "a"}
    headers = {"x-mlapi-translation": json.dumps({**asked, "path": "/v1/chat/completions", "more": more})}
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    async with await asyncio.start_unix_server(serve, folder / "servers.sock"):
        connector = aiohttp.UnixConnector(str(folder / "translator.sock"))
        async with (
            aiohttp.ClientSession(connector=connector) as client,
            client.post("http://translator/", json=body, headers=headers) as answered,
        ):
            return answered.status, answered.headers.get(OWN_REPLY_HEADER)


@pytest.mark.slow
def test_it_marks_what_no_server_has_answered(tmp_path: Path) -> None:
    async def tell() -> None:
        folder = tmp_path / "gateway"
        folder.mkdir()
        argv = translator(tmp_path).build_argv()
        process = await asyncio.create_subprocess_exec(*argv, cwd=folder, stdout=asyncio.subprocess.PIPE)
        try:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                await process.stdout.readline()
                error = b'{"error": {"message": "no"}}'
                head = b"HTTP/1.1 %b\r\ncontent-length: %d\r\n%b\r\n%b"
                said = [
                    await ask(folder, head % (b"200 OK", 4, b"", b"what")),
                    await ask(folder, head % (b"500 no", len(error), b"", error)),
                    await ask(
                        folder, head % (b"503 no", len(error), b"x-mlapi-own-reply: UF,URX\r\n", error)
                    ),
                    await ask(
                        folder, head % (b"500 no", len(error), b"", error), "a team that is refused" * 5000
                    ),
                ]
        finally:
            process.kill()
            await process.wait()
        assert said == [(502, "-"), (500, None), (503, "UF,URX"), (500, None)]

    asyncio.run(tell())
