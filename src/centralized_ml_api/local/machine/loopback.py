"""Sockets of this machine that only its own programs reach."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def bind_loopback(preferred: int = 0) -> socket.socket:
    """A listening socket on the preferred port, or on any free one when that is taken."""
    try:
        return socket.create_server((LOOPBACK, preferred))
    except (OSError, OverflowError):
        return socket.create_server((LOOPBACK, 0))


def url_of(listening: socket.socket) -> str:
    """The address of the socket, such as `http://127.0.0.1:4711`."""
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"
