"""A service whose one method sends on what it is sent; `UPSTREAM` says where."""

from __future__ import annotations

import os
from typing import Any

import aiohttp
import bentoml


@bentoml.service(workers=1, traffic={"timeout": 29})
class Forward:
    """One worker: it has one core."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @bentoml.api(route="/model")  # type: ignore[untyped-decorator]  # it is not installed beside us
    async def generate(self, model: str, messages: list[dict[str, str]], max_tokens: int) -> dict[str, Any]:
        """A call of the model, over connections that stay open."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        body = {"model": model, "messages": messages, "max_tokens": max_tokens}
        async with self._session.post(os.environ["UPSTREAM"], json=body) as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
            return document
