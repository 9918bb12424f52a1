"""`mlapi board --target aws` serves the screen for whoever has the link, until it is ended."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from centralized_ml_api.cli.verbs.board import serve_board
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Source:
    """A screen of nothing."""

    async def build(self) -> dict[str, Any]:
        """What the page shows."""
        return {"title": "Event"}

    async def act(self, act: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Does nothing."""
        return {"act": act, **wanted}


async def _ask(link: str, token: str, host: str) -> int:
    url = link.split("#", maxsplit=1)[0] + "board.json"
    headers = {"Authorization": f"Bearer {token}", "Host": host}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status


async def _serve_and_ask() -> tuple[str, list[int]]:
    shown = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_board(Source(), shown.set_result))
    link = await shown
    token, host = link.partition("#token=")[2], urlsplit(link).netloc
    statuses = [
        await _ask(link, token, host),
        await _ask(link, "guess", host),
        await _ask(link, token, "evil.example"),
    ]
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(aiohttp.ClientConnectorError):
        await _ask(link, token, host)
    return link, statuses


def test_the_link_opens_it_on_loopback_alone_and_its_end_ends_it() -> None:
    link, statuses = asyncio.run(_serve_and_ask())
    assert statuses == [200, 401, 403]
    assert (urlsplit(link).hostname, len(link.partition("#token=")[2]) > 40) == ("127.0.0.1", True)
    again, _ = asyncio.run(_serve_and_ask())
    assert again.partition("#")[2] != link.partition("#")[2], "each start has its own token"


def test_a_mistake_in_the_config_is_told_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text(json.dumps({"models": 7}))
    ran = mlapi("board", "models.json", "--target", "aws", cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert "$.models" in ran.talk
