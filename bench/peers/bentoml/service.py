"""A service with one method, which forwards calls to `UPSTREAM`."""

from __future__ import annotations

import os
from typing import Any

import aiohttp
import bentoml


@bentoml.service(workers=1, traffic={"timeout": 29})
class Forward:
    """The service; one worker, because it has one core."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @bentoml.api(route="/model")  # type: ignore[untyped-decorator]  # it is not installed in our environment
    async def generate(self, model: str, messages: list[dict[str, str]], max_tokens: int) -> dict[str, Any]:
        """Forwards a call to the model over persistent connections."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        body = {"model": model, "messages": messages, "max_tokens": max_tokens}
        async with self._session.post(os.environ["UPSTREAM"], json=body) as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
            return document
