"""The process of the admission service: sockets in its working folder, one for Envoy, two for `mlapi`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
import time
from dataclasses import asdict
from pathlib import Path

from centralized_ml_api.local.admission.account_book import ACCOUNTS_NAME, AccountBook
from centralized_ml_api.local.admission.accountant import Accountant
from centralized_ml_api.local.admission.envoy_connection import start_answering
from centralized_ml_api.local.admission.service import COUNTING, AdmissionService
from centralized_ml_api.local.admission.sleepers import LINE_LIMIT_BYTES, Sleepers
from centralized_ml_api.local.admission.terms import (
    ADMISSION_SOCKET,
    OCCUPANCY_SOCKET,
    SLEEPERS_SOCKET,
    SOCKETS,
)
from centralized_ml_api.local.admission.turns import Turns
from centralized_ml_api.local.machine.descriptors import raise_descriptors
from centralized_ml_api.local.usage.store import STORE_NAME, UsageStore

PARENT_CHECK_SECONDS = 0.5


def main() -> int:
    """Serves until SIGTERM, SIGINT or the end of the parent process; returns the exit status.

    The one argument is the file of the accounts, beside which is that of past calls; without it, both are in
    the working folder.
    """
    accounts = Path(sys.argv[1] if len(sys.argv) > 1 else ACCOUNTS_NAME)
    os.umask(0o077)
    raise_descriptors()  # every call that waits has a connection
    _remove_sockets()
    try:
        return asyncio.run(_serve(accounts))
    finally:
        _remove_sockets()  # before Python 3.13, asyncio leaves its own


def _remove_sockets() -> None:
    for socket in SOCKETS:
        Path(socket).unlink(missing_ok=True)


async def _serve(accounts: Path) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _stop_with(os.getppid(), stop)
    turns = Turns(loop.time)
    sleepers = Sleepers(turns, loop.time)
    accountant = Accountant(AccountBook(accounts), time.time)
    with contextlib.suppress(sqlite3.Error, OSError):
        accountant.start()  # what cannot be read yet is read again with the first limited call
    usage = UsageStore(accounts.with_name(STORE_NAME))
    service = AdmissionService(turns, sleepers, accountant, usage)
    answering = await start_answering(ADMISSION_SOCKET, service.answer, service.hear)
    occupancy = await asyncio.start_unix_server(_Occupancy(turns).answer, OCCUPANCY_SOCKET)
    supervisor = await asyncio.start_unix_server(sleepers.serve, SLEEPERS_SOCKET, limit=LINE_LIMIT_BYTES)
    await stop.wait()
    for server in (answering, occupancy, supervisor):
        server.close()
    with contextlib.suppress(sqlite3.Error, OSError):
        await accountant.close()
    return 0


class _Occupancy:
    """Writes how busy the entries are to whoever connects, as one JSON object."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    async def answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines, places = self._turns.occupancy().items(), self._turns.places()
        occupancy = {
            line: {**asdict(now), **({"places": places[line]} if line in places else {})}
            for line, now in lines
            if not line.endswith(COUNTING)
        }
        with contextlib.suppress(ConnectionError):
            writer.write(json.dumps(occupancy).encode())
            await writer.drain()
        writer.close()


def _stop_with(parent: int, stop: asyncio.Event) -> None:
    """Stops this process once its supervisor is gone: nobody else would."""
    if os.getppid() == parent:
        asyncio.get_running_loop().call_later(PARENT_CHECK_SECONDS, _stop_with, parent, stop)
    else:
        stop.set()
