"""Calls through the gateway in the place of a caller: on a socket that only this user can open.

The gateway believes what it is told there: the team in a header, and the address of the caller in the first
line of the connection (PROXY protocol), so that the call is one of that team and comes from there.
Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, RFC 9112
"""

from __future__ import annotations

import asyncio
import contextlib
from ipaddress import ip_address
from typing import TYPE_CHECKING

from centralized_ml_api.local.admission.endings import NEVER_SENT_FLAGS, UNASKED_DETAILS
from centralized_ml_api.local.admission.terms import REFUSED, TEAM_HEADER, UNANSWERED
from centralized_ml_api.local.envoy.admin import shorten_path
from centralized_ml_api.local.envoy.headers import ENDING_HEADER
from centralized_ml_api.local.jobs.types import Answered, Asked
from centralized_ml_api.local.machine.http_body import read_body
from centralized_ml_api.local.machine.http_head import HEAD_END, ResponseHead, read_head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_PIECE_BYTES = 256 * 1024
_HEAD_BYTES = 64 * 1024
_PORT, _LAST_PORT = 80, 65535
_FRAMING = frozenset(
    {"connection", "content-length", "date", "keep-alive", "transfer-encoding", "server", ENDING_HEADER}
)
"""Headers of an answer that are about its way, and are made anew when it is handed out."""

_UNAVAILABLE = 503


class UnsentError(Exception):
    """The gateway is away: nothing of the call has gone out."""


class BrokenCallError(Exception):
    """The call broke off before there was an answer. The model may have worked for it."""


class BrokenAnswerError(Exception):
    """The answer broke off."""


_BROKEN = (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@contextlib.asynccontextmanager
async def call_gateway(
    socket: Path, asked: Asked, request: Path
) -> AsyncIterator[tuple[Answered, AsyncIterator[bytes]]]:
    """Makes a call; ends it when the block ends.

    Args:
        socket: Where the gateway takes such calls.
        asked: The call.
        request: The file with its body.

    Raises:
        UnsentError: The gateway does not take it now.
        BrokenCallError: It broke off; the iterator of the body raises `BrokenAnswerError`.
    """
    try:
        with shorten_path(socket) as path:
            reader, writer = await asyncio.open_unix_connection(path, limit=_HEAD_BYTES)
    except OSError as error:
        raise UnsentError from error
    try:
        body = await asyncio.to_thread(request.read_bytes)
        try:
            writer.write(build_proxy_line(asked) + build_head(asked, len(body)))
            for start in range(0, len(body), _PIECE_BYTES):
                writer.write(body[start : start + _PIECE_BYTES])
                await writer.drain()
            head = read_head(await reader.readuntil(HEAD_END))
        except _BROKEN as error:
            raise BrokenCallError from error
        yield _keep(head), _refuse_broken(read_body(reader, head))
    finally:
        writer.close()


def build_proxy_line(asked: Asked) -> bytes:
    """Builds the first line of a connection, which says who calls, and at which port. Pure.

    A caller without an address and a port, that of IPv6 in brackets, stands for nobody.
    """
    address, _, port = asked.caller.rpartition(":")
    try:
        # The protocol knows no zone, such as `%eth0` of a link-local address.
        source, number = ip_address(address.strip("[]").partition("%")[0]), int(port)
    except ValueError:
        return b"PROXY UNKNOWN\r\n"
    kind, local = ("TCP4", "127.0.0.1") if source.version == 4 else ("TCP6", "::1")  # noqa: PLR2004  # its versions
    at = asked.host.rpartition(":")[2]
    is_port = at.isdecimal() and int(at) <= _LAST_PORT
    return f"PROXY {kind} {source} {local} {number} {at if is_port else _PORT}\r\n".encode()


def build_head(asked: Asked, size: int) -> bytes:
    """Builds request line and headers of a call. Pure.

    Args:
        asked: The call.
        size: Bytes of its body.
    """
    team = [(TEAM_HEADER, asked.team)] if asked.team else []
    own = [("host", asked.host), ("content-length", str(size)), ("connection", "close"), *team]
    lines = [f"POST {asked.path} HTTP/1.1", *(f"{name}: {value}" for name, value in (*own, *asked.headers))]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def is_for_now(status: int, ending: str) -> bool:
    """Returns whether the gateway itself has refused a call for now, and no server has got it. Pure.

    That is so in a pause, while a model wakes or its server is away, and while too many wait for it; with a
    `fallback`, if it is so for each entry that was asked.

    Args:
        status: Of the answer.
        ending: The header that says how the call ended: see `job_listener`.
    """
    flags, said, details, untaken = (*ending.split(" "), "", "", "", "")[:4]
    is_unsent = set(flags.split(",")) <= set(NEVER_SENT_FLAGS)
    is_unasked = said == UNANSWERED or said.startswith(REFUSED)
    is_own = details in UNASKED_DETAILS or untaken == "true"
    return status == _UNAVAILABLE and (is_unsent or is_unasked or is_own)


def _keep(head: ResponseHead) -> Answered:
    kept = tuple((name, value) for name, value in head.headers if name not in _FRAMING)
    return Answered(head.status, kept, is_for_now=is_for_now(head.status, head.header(ENDING_HEADER)))


async def _refuse_broken(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    except _BROKEN as error:
        raise BrokenAnswerError from error
