"""Keeps the admission service running: each Envoy has one of its own, and one that ends is started again."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.account_book import ACCOUNTS_NAME, load_used
from centralized_ml_api.local.admission.terms import OCCUPANCY_SOCKET, SOCKETS
from centralized_ml_api.local.envoy.admin import shorten_path
from centralized_ml_api.local.run.sidecar import Sidecar

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.admission.accounts import Account
    from centralized_ml_api.local.supervision.process import ServerLog

_MODULE = "centralized_ml_api.local.admission"


class SupervisedAdmission(Sidecar):
    """The admission service in a process of its own.

    Args:
        folder: Where its sockets are: Envoy's folder.
        log: Takes its output.
        accounts: The file of what teams have used; without it, in the folder.
        more: What every sidecar takes.
    """

    TITLE = "admission service"
    SOCKETS = SOCKETS

    def __init__(self, folder: Path, log: ServerLog, *, accounts: Path | None = None, **more: Any) -> None:
        super().__init__(folder, log, **more)
        self._accounts = accounts

    def build_argv(self) -> tuple[str, ...]:
        """Builds the command, by which nothing in the folder takes the place of a module (`-P`)."""
        return (sys.executable, "-P", "-m", _MODULE, *((str(self._accounts),) if self._accounts else ()))

    async def is_ready(self) -> bool:
        """Returns whether the process answers."""
        return await self._ask() is not None

    async def occupancy(self) -> dict[str, dict[str, int]]:
        """Returns by entry how many calls are `under_way` and `waiting`, and for how many there are `places`.

        Without `places` there is no limit. It is empty if the process is away.
        """
        return await self._ask() or {}

    def load_used(self) -> dict[Account, int]:
        """Returns what limits in tokens and dollars have used, from the disk.

        Raises:
            sqlite3.Error: It cannot be read.
            OSError: Nor be opened.
        """
        return load_used(self._accounts or self._folder / ACCOUNTS_NAME)

    async def _ask(self) -> dict[str, dict[str, int]] | None:
        try:
            with shorten_path(self._folder / OCCUPANCY_SOCKET) as socket:
                reader, writer = await asyncio.open_unix_connection(socket)
            try:
                answer: dict[str, dict[str, int]] = json.loads(await reader.read())
            finally:
                writer.close()
        except (OSError, ValueError):
            return None
        return answer
