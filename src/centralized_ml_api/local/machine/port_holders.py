"""Tells which program holds a taken port."""

from __future__ import annotations

import contextlib
from typing import Any

import psutil


def find_holder(port: int) -> str | None:
    """Describes who listens on `port`, such as `envoy (pid 4711)`; None if nobody does or we may not see."""
    for connection in _listeners():
        if connection.laddr and connection.laddr.port == port:
            return _describe(connection.pid)
    return None


def _listeners() -> list[Any]:
    with contextlib.suppress(psutil.Error, OSError):
        return [
            connection
            for connection in psutil.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
    return []


def _describe(pid: int | None) -> str:
    with contextlib.suppress(psutil.Error):
        if pid is not None:
            return _describe_process(psutil.Process(pid))
    return "a program of another user"


def _describe_process(process: psutil.Process) -> str:
    """Names, for a gateway, the `mlapi` above it, too: Envoy alone would be restarted when stopped."""
    if _is_ours(process):
        return f"mlapi (pid {process.pid}), which serves SageMaker's runtime API there"
    parent = process.parent()
    owner = f" of mlapi (pid {parent.pid})" if parent is not None and _is_ours(parent) else ""
    return f"{process.name()} (pid {process.pid}){owner}"


def _is_ours(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return "up" in words and any(word.endswith(("mlapi", "centralized_ml_api")) for word in words)
    return False
