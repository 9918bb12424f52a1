"""TCP ports of this machine: a free one, and who holds a taken one."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
from typing import Any

import psutil

from centralized_ml_api.errors import StartError

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound
LOOPBACK = "127.0.0.1"
LOOPBACK_NAMES = (LOOPBACK, "::1", "localhost")


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on now. Whoever finds it taken after all tries another.

    Raises:
        StartError: there is none, or nothing can be opened to look.
    """
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
            port: int = probe.getsockname()[1]
            return port
    except OSError as error:
        raise StartError(f"no free port was found: {error.strerror or error}") from error


def reachable_addresses(host: str) -> tuple[str, ...]:
    """The addresses of this machine under which others reach a program that listens on `host`."""
    if host in LOOPBACK_NAMES:
        return ()
    if host not in EVERYWHERE:
        return (host,)
    every = (one for interface in psutil.net_if_addrs().values() for one in interface)
    found = (one.address.partition("%")[0] for one in every if one.family == _family(host))
    return tuple(address for address in found if not ipaddress.ip_address(address).is_loopback)


def check_port(host: str, port: int) -> None:
    """Makes sure that `port` can be listened on; 0 always can.

    Raises:
        StartError: it is taken, and by whom as far as this user may know; or `host` is not of this machine.
    """
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise StartError(f"port {port} needs root", fix="choose one above 1023: --port 8080") from error
        except OSError as error:
            holder = find_holder(port)
            if holder is None and not _is_taken(error):
                raise StartError(
                    f"{host} is not an address of this machine",
                    fix="--host 127.0.0.1 (the default) always works",
                ) from error
            raise StartError(
                f"port {port} is held by {holder or 'another program'}",
                fix=f"stop it, or choose another port: --port {_next_free(host, port)} (0 takes a free one)",
            ) from error


def find_holder(port: int) -> str | None:
    """Who listens on `port`, such as `envoy (pid 4711)`; None when nobody does or we may not know."""
    for connection in _listeners():
        if connection.laddr and connection.laddr.port == port:
            return _describe(connection.pid)
    return None


def _listeners() -> list[Any]:
    with contextlib.suppress(psutil.Error, OSError):
        return [one for one in psutil.net_connections(kind="tcp") if one.status == psutil.CONN_LISTEN]
    return []


def _describe(pid: int | None) -> str:
    with contextlib.suppress(psutil.Error):
        if pid is not None:
            return _describe_process(psutil.Process(pid))
    return "a program of another user"


def _describe_process(process: psutil.Process) -> str:
    """A gateway is named by the `mlapi` that keeps it: whoever ends Envoy alone sees it come back."""
    if _is_ours(process):
        return f"mlapi (pid {process.pid}), which serves SageMaker's runtime API there"
    parent = process.parent()
    keeper = f" of mlapi (pid {parent.pid})" if parent is not None and _is_ours(parent) else ""
    return f"{process.name()} (pid {process.pid}){keeper}"


def _is_ours(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return "up" in words and any(word.endswith(("mlapi", "centralized_ml_api")) for word in words)
    return False


def _next_free(host: str, port: int) -> int:
    """A port above that can be listened on, or 0: any."""
    for candidate in range(port + 1, min(port + 100, 65536)):
        with contextlib.suppress(OSError), socket.socket(_family(host)) as probe:
            probe.bind((host, candidate))
            return candidate
    return 0


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _is_taken(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE


def bind_loopback(preferred: int = 0) -> socket.socket:
    """A listening socket on the preferred port, or on any free one when that is taken."""
    try:
        return socket.create_server((LOOPBACK, preferred))
    except (OSError, OverflowError):
        return socket.create_server((LOOPBACK, 0))


def url_of(listening: socket.socket) -> str:
    """The address of the socket, such as `http://127.0.0.1:4711`."""
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"
