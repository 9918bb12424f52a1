"""Envoy's admin interface: what it has taken, what it is doing.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/admin
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.socket_path import shorten_path

if TYPE_CHECKING:
    from collections.abc import Iterable

_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin interface at a Unix domain socket; whoever may not enter its folder cannot reach it.

    Raises:
        StartError: (every method) Envoy does not answer.
    """

    socket: Path

    async def is_live(self) -> bool:
        """Whether Envoy has read everything and takes calls."""
        return (await self._ask("GET", "/ready")).strip() == "LIVE"

    async def bound_port(self) -> int:
        """The port of the one listener, also when a free one was asked for."""
        answer = json.loads(await self._ask("GET", "/listeners?format=json"))
        address = answer["listener_statuses"][0]["local_address"]["socket_address"]
        return int(address["port_value"])

    async def stats(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of these statistics, of those that exist."""
        pattern = "|".join(sorted(re.escape(name) for name in names))
        query = {"format": "json", "filter": f"^({pattern})$"}
        answer = json.loads(await self._ask("GET", "/stats", query))
        return {one["name"]: one["value"] for one in answer["stats"] if "name" in one}

    async def prometheus(self, statistics: str) -> str:
        """The statistics whose own names match the regular expression, in the text format of Prometheus."""
        return await self._ask("GET", "/stats/prometheus", {"filter": statistics})

    async def start_draining(self) -> None:
        """Tells clients, with their next answer, to close their connection; nothing is cut."""
        await self._ask("POST", "/drain_listeners?graceful&skip_exit")

    async def reopen_logs(self) -> None:
        """Closes the log files and opens those that have their names now."""
        await self._ask("POST", "/reopen_logs")

    async def _ask(self, method: str, path: str, query: dict[str, str] | None = None) -> str:
        import aiohttp  # noqa: PLC0415  # a tenth of a second, and Envoy is starting meanwhile

        try:
            with shorten_path(self.socket) as socket:
                return await _exchange(socket, method, path, query)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise StartError(f"the gateway does not answer on its admin socket: {error!r}") from error


async def _exchange(socket: str, method: str, path: str, query: dict[str, str] | None) -> str:
    """One request on a connection of its own; the host in the address is there for form's sake."""
    import aiohttp  # noqa: PLC0415  # as above

    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, connector=aiohttp.UnixConnector(socket)) as session,
        session.request(method, f"http://envoy{path}", params=query) as response,
    ):
        return await response.text()
