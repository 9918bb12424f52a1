"""Shortages: of file descriptors for the supervisor and the gateway, and of disk space."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import psutil

from bench.faults.api import MODEL, REPLICATED, start_api
from bench.faults.callers import calling
from bench.faults.steps import Step, kill, wait_for_calls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.faults.api import Api
    from bench.faults.callers import Tally

WITHOUT_SECONDS = 2.5
"""Long enough to look at the state folder twice and to try to restart the server."""
FEW_FILES = 256
DISK = "4m"


def without_descriptors(api: Api, tally: Tally, connections: int) -> Step:
    """Kills a server while the supervisor cannot open any file."""
    supervisor, server = api.supervisor, api.servers(REPLICATED)[0]
    usual = supervisor.rlimit(psutil.RLIMIT_NOFILE)
    before = tally.copy()
    supervisor.rlimit(psutil.RLIMIT_NOFILE, (3, usual[1]))
    try:
        kill(api, tally, lambda _: server)
        time.sleep(WITHOUT_SECONDS)
    finally:
        supervisor.rlimit(psutil.RLIMIT_NOFILE, usual)
    seconds = api.wait_well()
    wait_for_calls(tally, connections)
    return Step("supervisor out of file descriptors", 1, tally - before, seconds)


def crowd(folder: Path, connections: int) -> Tally:
    """Connects more clients than a gateway with few file descriptors can serve; counts their calls."""
    few = [shutil.which("prlimit") or "prlimit", f"--nofile={FEW_FILES}:{FEW_FILES}"]
    with start_api(folder, prefix=few) as api, calling(api.port, [MODEL], connections, 0.5) as tally:
        wait_for_calls(tally, FEW_FILES)
    return tally


def fill_disk(folder: Path, connections: int) -> Step | None:
    """Fills the state folder's disk and kills a server. None if this user must not mount a disk."""
    disk = folder / "disk"
    with _small_disk(disk) as is_there:
        if not is_there:
            return None
        with (
            start_api(folder / "project", state=disk / "state") as api,
            calling(api.port, [MODEL, REPLICATED], connections, 0.5) as tally,
        ):
            return _fill(api, tally, disk, connections)


def _fill(api: Api, tally: Tally, disk: Path, connections: int) -> Step:
    wait_for_calls(tally, connections)
    before = tally.copy()
    for log in (api.state / "logs").glob("*.log"):
        _append_all(log)  # or a short line would still fit
    filling = disk / "filling"
    _append_all(filling)
    kill(api, tally, lambda running: running.servers(REPLICATED)[0])
    wait_for_calls(tally, connections)
    filling.unlink()
    for log in (api.state / "logs").glob("*.log"):
        os.truncate(log, 0)
    seconds = api.wait_well()
    wait_for_calls(tally, connections)
    return Step("disk full", 1, tally - before, seconds)


def _append_all(file: Path) -> None:
    """Appends until the disk is full."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (65_536, 1_024, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(descriptor, b"\n" * size)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """Mounts a disk of a few MB in memory; yields whether that succeeded."""
    folder.mkdir(parents=True)
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={DISK}", "none", str(folder)]
    made = False
    if mount and unmount:
        made = not subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603  # our own
    try:
        yield made
    finally:
        if made:
            subprocess.run([str(unmount), "-l", str(folder)], check=True)  # noqa: S603  # our own
