"""Finds free TCP ports of this machine, and listens on loopback. Imports little: a start begins with it."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import itertools
import secrets
import socket
from urllib.parse import urlsplit

from centralized_ml_api.errors import StartError

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound
LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65535
LOOPBACK_NAMES = (LOOPBACK, "::1", "localhost")

_FIRST_PORT, _PAIRS, _TRIES = 20_000, 6_000, 100
"""Where ports that nobody is about to take are looked for: from 20000 to 31999.

They are below those that systems give to whoever asks for any (Linux from 32768 on), so that it is unlikely
that another program takes one before it is listened on.
"""


def free_port(host: str = LOOPBACK) -> int:
    """Returns a port that nobody listens on now; whoever finds it taken later tries another.

    Raises:
        StartError: No port is free, or no socket can be opened to look for one.
    """
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
            port: int = probe.getsockname()[1]
            return port
    except OSError as error:
        raise StartError(f"no free port was found: {error.strerror or error}") from error


def quiet_port() -> int:
    """Returns a port of loopback on which nobody listens now, and that nobody is about to take.

    For who listens on it only later, as a model does once it is loaded.

    Raises:
        StartError: No port is free, or no socket can be opened to look for one.
    """
    for _ in range(_TRIES):
        port = _FIRST_PORT + secrets.randbelow(2 * _PAIRS)
        if _is_free(LOOPBACK, port):
            return port
    return free_port()


def free_pair(host: str = LOOPBACK) -> int:
    """Returns a port on which, and on the one after it, nobody listens now, and that nobody is about to take.

    Raises:
        StartError: No port is free, or no socket can be opened to look for one.
    """
    for _ in range(_TRIES):
        port = _FIRST_PORT + 2 * secrets.randbelow(_PAIRS)
        if _is_free(host, port) and _is_free(LOOPBACK, port + 1):
            return port
    return free_port(host)


_DOCUMENTATION = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses of nobody, on no link of this machine.

Source: https://www.rfc-editor.org/rfc/rfc5737 and https://www.rfc-editor.org/rfc/rfc3849
"""


def reachable_addresses(host: str) -> tuple[str, ...]:
    """Returns the addresses at which other machines reach a program that listens on `host`."""
    if host in LOOPBACK_NAMES or ipaddress.ip_address(host).is_loopback:
        return ()
    if host not in EVERYWHERE:
        return (host,)
    import psutil  # noqa: PLC0415  # takes as long as everything else here, and a start on loopback needs none

    every = itertools.chain.from_iterable(psutil.net_if_addrs().values())
    found = (entry.address.partition("%")[0] for entry in every if entry.family == _family(host))
    return tuple(address for address in found if not ipaddress.ip_address(address).is_loopback)


def reachable_urls(host: str, url: str) -> tuple[str, ...]:
    """Returns where other machines call an API: the address of the default route first.

    Args:
        host: What the API listens on.
        url: Its URL on this machine; one with a host name serves others too.
    """
    found = reachable_addresses(host)
    own = urlsplit(url)
    if found and parse_address(own.hostname or "") is None:
        return (url,)
    first = _outward_address(host)
    ordered = sorted(found, key=lambda address: address != first)
    return tuple(_render_url(own.scheme, address, own.port or 0) for address in ordered)


def shown_url(host: str, port: int, *, scheme: str = "http", name: str = "") -> str:
    """Returns the URL to show for a listening address; for one that means all, that of this machine.

    Args:
        host: The address.
        port: The port.
        scheme: `http` or `https`.
        name: A host name to show in place of the address.
    """
    shown = name or {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104  # shown, not listened on
    return _render_url(scheme, shown, port)


def _render_url(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def parse_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Returns the IP address that is written there; None for a host name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _outward_address(host: str) -> str:
    """Returns the address from which this machine reaches others; nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(_family(host), socket.SOCK_DGRAM) as probe:
        probe.connect((_DOCUMENTATION[_family(host)], 9))
        return str(probe.getsockname()[0])
    return ""


def check_port(host: str, port: int) -> None:
    """Checks that `port` is free to listen on; 0, any free port, always is.

    Raises:
        StartError: The port is taken, and by which program as far as this user may see; it needs root; or
        `host`
            is not an address of this machine.
    """
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise StartError(f"port {port} needs root", fix="choose one above 1023: --port 8080") from error
        except OSError as error:
            from centralized_ml_api.local.machine.port_holders import find_holder  # noqa: PLC0415  # as above

            holder = find_holder(port)
            if holder is None and error.errno != errno.EADDRINUSE:
                raise StartError(
                    f"{host} is not an address of this machine",
                    fix="use --host 127.0.0.1 (the default), which always works",
                ) from error
            raise StartError(
                f"port {port} is held by {holder or 'another program'}",
                fix=f"stop it, or choose another port: --port {_next_free(host, port)} (0 takes a free one)",
            ) from error


def _next_free(host: str, port: int) -> int:
    """Returns a free port above `port`, or 0 (any) if there is none nearby."""
    candidates = range(port + 1, min(port + 100, HIGHEST_PORT + 1))
    return next((candidate for candidate in candidates if _is_free(host, candidate)), 0)


def _is_free(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket(_family(host)) as probe:
        probe.bind((host, port))
        return True
    return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def bind_loopback(preferred: int = 0) -> socket.socket:
    """Returns a listening socket on the preferred port, or on any free one if that is taken."""
    try:
        return socket.create_server((LOOPBACK, preferred if preferred <= HIGHEST_PORT else 0))
    except OSError:
        return socket.create_server((LOOPBACK, 0))


def url_of(listening: socket.socket) -> str:
    """Returns the URL of the socket, such as `http://127.0.0.1:4711`."""
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"
