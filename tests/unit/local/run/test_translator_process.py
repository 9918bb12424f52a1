"""The supervised translator: what is started, and when it is ready."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.run.translator_process import SupervisedTranslator, can_translate, find_node
from centralized_ml_api.local.supervision.process import ServerLog

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
