"""Checks that this machine has the port, the memory, the files and the disk space that serving needs."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import psutil

from centralized_ml_api.config.schema import SleepingServer, Url
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.inotify import FILES_OF_THE_GATEWAY, count_inotify_instances
from centralized_ml_api.local.machine.ports import check_port
from centralized_ml_api.local.weights import render_bytes
from centralized_ml_api.plan.bedrock import find_bedrock
from centralized_ml_api.plan.engines import ENGINES
from centralized_ml_api.plan.finding import Finding
from centralized_ml_api.plan.provider import find_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from centralized_ml_api.config.schema import Config, EndpointEntry, Local, ModelEntry
    from centralized_ml_api.local.machine.inotify import InotifyInstances

_JOBS = 1
"""The file of whoever takes calls that are answered later."""

BYTES_FOR_THE_API = 200_000_000
"""Envoy, the supervisor and a Lambda host."""
BYTES_FOR_A_SERVER = 700_000_000
"""One process of a small model; a large one takes more than its file of weights."""
COMFORTABLE_BYTES = 1_000_000_000
"""Room for the default model several times over; `mlapi up` itself knows the exact sizes and reports them."""


def check_port_is_free(port: int) -> Finding:
    """Returns whether the API's port is free, or who holds it."""
    try:
        check_port("127.0.0.1", port)
    except StartError as error:
        return Finding("port", "error", error.message, fix=error.fix)
    return Finding("port", "ok", f"port {port} is free" if port else "a free port will be chosen")


def check_memory(served: Sequence[Local]) -> Finding:
    """Compares the estimated memory need with the memory that is free now."""
    return compare_memory(psutil.virtual_memory().available, served)


def compare_memory(available_bytes: int, served: Sequence[Local]) -> Finding:
    """Compares the estimated need with the free memory; at most a warning, as it is an estimate. Pure."""
    processes = _count_processes(served)
    needed = BYTES_FOR_THE_API + processes * BYTES_FOR_A_SERVER
    need = f"the API and {processes} model processes need about {render_bytes(needed)}"
    detail = f"{render_bytes(available_bytes)} free; {need}"
    if available_bytes >= needed:
        return Finding("memory", "ok", "there is enough memory", detail)
    fix = "stop other programs, lower `replicas`, or use smaller models"
    return Finding("memory", "warning", "there may not be enough memory", detail, fix)


def _count_processes(served: Sequence[Local]) -> int:
    """Counts the model processes that may run at the same time: of a group, those of one entry."""
    groups: dict[str, int] = {}
    alone = 0
    for local in served:
        shares = local.shares if isinstance(local, SleepingServer) else None
        if shares:
            groups[shares] = max(groups.get(shares, 0), local.replicas)
        elif ENGINES[local.engine].runs_here:
            alone += local.replicas
    return alone + sum(groups.values())


def check_watched_files(config: Config | None) -> Iterator[Finding]:
    """Yields that the gateway may not watch as many files as it needs; nothing where it may."""
    instances = count_inotify_instances()
    if instances is not None and config is not None:
        yield from compare_watched_files(instances, config)


def compare_watched_files(instances: InotifyInstances, config: Config) -> Iterator[Finding]:
    """Compares what the gateway needs with what this user may have; a gateway that runs has its own. Pure."""
    event = config.event
    joining = event is not None and event.join is not None
    needed = FILES_OF_THE_GATEWAY + sum(map(_count_files, config.entries)) + joining + _JOBS
    if not instances.suffice(needed):
        title = "the gateway may not be able to watch its files"
        yield Finding("inotify", "warning", title, instances.describe(needed), instances.fix)


def _count_files(entry: ModelEntry | EndpointEntry) -> int:
    """Counts the files with the ports of servers that run here, and with keys of those that run elsewhere."""
    provider = find_provider(entry)
    if provider is not None:
        return int(provider.key is not None)
    if find_bedrock(entry) is not None:
        return 1
    local = entry.local
    if local is None:
        return 0
    return (not isinstance(local, Url)) + (entry.integration.type == "lambda")


def check_disk(cache: Path) -> Finding:
    """Returns whether there is space for weights and packages, and whether it can be written to."""
    folder = next(place for place in (cache, *cache.parents) if place.exists())
    return compare_disk(shutil.disk_usage(folder).free, cache, folder)


def compare_disk(free_bytes: int, cache: Path, folder: Path) -> Finding:
    """Compares the free disk space with the recommended minimum.

    Args:
        free_bytes: The free space.
        cache: The folder of weights and packages, which may not exist yet.
        folder: The nearest folder that exists.
    """
    detail = f"{render_bytes(free_bytes)} free in {cache}"
    fix = "name another folder: MLAPI_CACHE=/a/folder"
    if not os.access(folder, os.W_OK):
        return Finding("disk", "error", f"{folder} cannot be written to", detail, fix)
    if free_bytes < COMFORTABLE_BYTES:
        return Finding(
            "disk", "warning", "little disk space for weights", detail, f"free some space, or {fix}"
        )
    return Finding("disk", "ok", "there is enough disk space for weights", detail)
