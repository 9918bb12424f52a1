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
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now. Whoever finds it taken after all tries another."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def prefer_port(port: int) -> int:
    """That loopback port if it is free, else any free one."""
    try:
        check_port("127.0.0.1", port)
    except (StartError, OverflowError):
        return free_port()
    return port


def reachable_addresses(host: str) -> tuple[str, ...]:
    """The addresses of this machine under which others reach a program that listens on `host`."""
    if host in LOOPBACK:
        return ()
    if host not in EVERYWHERE:
        return (host,)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    every = (one for interface in psutil.net_if_addrs().values() for one in interface)
    found = (one.address.partition("%")[0] for one in every if one.family == family)
    return tuple(address for address in found if not ipaddress.ip_address(address).is_loopback)


def check_port(host: str, port: int) -> None:
    """Makes sure that `port` can be listened on; 0 always can.

    Raises:
        StartError: it is taken, and by whom as far as this user may know; or `host` is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
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
                fix=f"stop it, or choose another port: --port {port + 1} (0 takes a free one)",
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
            return f"{psutil.Process(pid).name()} (pid {pid})"
    return "a program of another user"


def _is_taken(error: OSError) -> bool:
    return error.errno == errno.EADDRINUSE
