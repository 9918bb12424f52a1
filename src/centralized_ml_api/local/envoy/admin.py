"""Asks Envoy's admin interface what it has accepted and what it is doing.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/operations/admin
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.http_body import read_body
from centralized_ml_api.local.machine.http_head import HEAD_END, read_head
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOCKET_PATH_BYTES = 103
"""The longest path of a Unix domain socket: 107 bytes on Linux, 103 on macOS, where `sun_path` has 104.

Source: https://man7.org/linux/man-pages/man7/unix.7.html
"""

_TIMEOUT_SECONDS = 5
_NO_ANSWER = (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
_LINK = "mlapi-12345678/at"
"""As long as the path of the link in `_link`, below the folder for temporary files."""
_DESCRIPTORS = Path("/proc/self/fd")
"""Where Linux has the open files and folders of a process.

Source: https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html
"""
_SHORT_FOLDER = "/tmp"  # noqa: S108  # what is made there is private


@record
class Admin:
    """The admin interface on a Unix domain socket; only users who may enter its folder can reach it.

    While Envoy reads a large table of routes, it answers nothing here.

    Attributes:
        socket: The socket.
        timeout_seconds: How long an answer may take.

    Raises:
        StartError: (every method) Envoy does not answer.
    """

    socket: Path
    timeout_seconds: float = _TIMEOUT_SECONDS

    async def is_live(self) -> bool:
        """Returns whether Envoy has read everything and takes calls."""
        return (await self._ask("GET", "/ready")).strip() == "LIVE"

    async def bound_port(self) -> int:
        """Returns the port of the one listener that has a port, even if any free one was requested."""
        answer = json.loads(await self._ask("GET", "/listeners?format=json"))
        addresses = [status["local_address"] for status in answer["listener_statuses"]]
        return next(int(at["socket_address"]["port_value"]) for at in addresses if "socket_address" in at)

    async def stats(self, names: Iterable[str]) -> dict[str, Any]:
        """Returns the values of the statistics that exist."""
        pattern = "|".join(sorted(re.escape(name) for name in names))
        query = {"format": "json", "filter": f"^({pattern})$"}
        answer = json.loads(await self._ask("GET", "/stats", query))
        return {stat["name"]: stat["value"] for stat in answer["stats"] if "name" in stat}

    async def prometheus(self, statistics: str) -> str:
        """Returns the statistics whose own names match a regular expression, in Prometheus' text format.

        Those that never had a value are left out: thousands of entries that nobody calls say nothing.
        """
        return await self._ask("GET", "/stats/prometheus", {"filter": statistics, "usedonly": ""})

    async def start_draining(self) -> None:
        """Tells clients to close their connections with their next response; nothing is cut off."""
        await self._ask("POST", "/drain_listeners?graceful&skip_exit")

    async def reopen_logs(self) -> None:
        """Closes the log files and opens the files that now have their names."""
        await self._ask("POST", "/reopen_logs")

    async def _ask(self, method: str, path: str, query: dict[str, str] | None = None) -> str:
        """Sends one request on a connection of its own, and returns the body of the response.

        By hand: aiohttp takes five times as long, and each change is asked about again and again.
        """
        target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        head = f"{method} {target} HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        try:
            with shorten_path(self.socket) as socket:
                async with asyncio.timeout(self.timeout_seconds):
                    reader, writer = await asyncio.open_unix_connection(socket)
                    try:
                        writer.write(head.encode())
                        return await _read_response(reader)
                    finally:
                        writer.close()
        except (*_NO_ANSWER, TimeoutError) as error:
            raise StartError(
                f"the gateway does not answer on its admin socket: {error!r}",
                fix="if it is being started again, try once more in some seconds; otherwise, read its log",
            ) from error


async def _read_response(reader: asyncio.StreamReader) -> str:
    """Reads the body of the one response on a connection.

    Raises:
        OSError: The connection broke.
        ValueError: It is no response, or its body has no end.
        asyncio.IncompleteReadError: It ended too soon.
        asyncio.LimitOverrunError: A line of it is too long.
    """
    head = read_head(await reader.readuntil(HEAD_END))
    if not head.is_chunked and not head.header("content-length"):
        raise ValueError(f"a body without an end behind {head}")
    body = b"".join([piece async for piece in read_body(reader, head)])
    if await reader.read():
        raise ValueError(f"more than {len(body)} bytes of a body behind {head}")
    return body.decode()


@contextlib.contextmanager
def shorten_path(path: Path) -> Iterator[str]:
    """Yields a path to the same socket that is short enough for its address, valid until the block ends.

    Only this process may use it. On Linux, a path that is too long is reached through its open folder, which
    leaves nothing behind however this process ends.

    Raises:
        OSError: The folder cannot be opened, or no temporary folder can be made.
    """
    if _fits(path):
        yield str(path)
    elif _DESCRIPTORS.is_dir():
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield str(_DESCRIPTORS / str(folder) / path.name)
        finally:
            os.close(folder)
    else:
        with _link(path) as link:
            yield link


@contextlib.contextmanager
def _link(path: Path) -> Iterator[str]:
    """Yields a path through a link in a private temporary folder, in `/tmp` if `TMPDIR` is too long."""
    default = gettempdir()
    parent = default if _fits(Path(default, _LINK, path.name)) else _SHORT_FOLDER
    with TemporaryDirectory(prefix="mlapi-", dir=parent) as folder:
        link = Path(folder, "at")
        link.symlink_to(path.parent.absolute())
        yield str(link / path.name)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES
