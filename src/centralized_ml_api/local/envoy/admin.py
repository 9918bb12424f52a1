"""Asks Envoy's admin interface what it has accepted and what it is doing.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/admin
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import StartError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOCKET_PATH_BYTES = 103
"""The longest path of a Unix domain socket: 107 bytes on Linux, 103 on macOS, where `sun_path` has 104.

Source: https://man7.org/linux/man-pages/man7/unix.7.html
"""

_TIMEOUT_SECONDS = 5
_LINK = "mlapi-12345678/at"
"""As long as the path of the link in `shorten_path`, below the folder for temporary files."""
_SHORT_FOLDER = "/tmp"  # noqa: S108  # what is made there is private


@record
class Admin:
    """The admin interface on a Unix domain socket; only users who may enter its folder can reach it.

    Raises:
        StartError: (every method) Envoy does not answer.
    """

    socket: Path

    async def is_live(self) -> bool:
        """Returns whether Envoy has read everything and takes calls."""
        return (await self._ask("GET", "/ready")).strip() == "LIVE"

    async def bound_port(self) -> int:
        """Returns the port of the one listener, even if any free port was requested."""
        answer = json.loads(await self._ask("GET", "/listeners?format=json"))
        address = answer["listener_statuses"][0]["local_address"]["socket_address"]
        return int(address["port_value"])

    async def stats(self, names: Iterable[str]) -> dict[str, Any]:
        """Returns the values of the statistics that exist."""
        pattern = "|".join(sorted(re.escape(name) for name in names))
        query = {"format": "json", "filter": f"^({pattern})$"}
        answer = json.loads(await self._ask("GET", "/stats", query))
        return {stat["name"]: stat["value"] for stat in answer["stats"] if "name" in stat}

    async def prometheus(self, statistics: str) -> str:
        """Returns the statistics whose own names match a regular expression, in Prometheus' text format."""
        return await self._ask("GET", "/stats/prometheus", {"filter": statistics})

    async def start_draining(self) -> None:
        """Tells clients to close their connections with their next response; nothing is cut off."""
        await self._ask("POST", "/drain_listeners?graceful&skip_exit")

    async def reopen_logs(self) -> None:
        """Closes the log files and opens the files that now have their names."""
        await self._ask("POST", "/reopen_logs")

    async def _ask(self, method: str, path: str, query: dict[str, str] | None = None) -> str:
        """Sends one request on a connection of its own; the host in the URL is a formality."""
        import aiohttp  # noqa: PLC0415  # takes a tenth of a second, in which Envoy is starting anyway

        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        try:
            with shorten_path(self.socket) as socket:
                connector = aiohttp.UnixConnector(socket)
                async with (
                    aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
                    session.request(method, f"http://envoy{path}", params=query) as response,
                ):
                    return await response.text()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise StartError(f"the gateway does not answer on its admin socket: {error!r}") from error


@contextlib.contextmanager
def shorten_path(path: Path) -> Iterator[str]:
    """Yields a path to the same socket that is short enough for its address, valid until the block ends.

    A path that is too long is reached through a link to its folder, in a private temporary folder: in
    `/tmp` if `TMPDIR` itself is too long.

    Raises:
        OSError: No temporary folder can be made.
    """
    if _fits(path):
        yield str(path)
        return
    default = gettempdir()
    parent = default if _fits(Path(default, _LINK, path.name)) else _SHORT_FOLDER
    with TemporaryDirectory(prefix="mlapi-", dir=parent) as folder:
        link = Path(folder, "at")
        link.symlink_to(path.parent.absolute())
        yield str(link / path.name)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES
