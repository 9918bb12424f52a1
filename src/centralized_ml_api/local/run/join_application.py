"""Answers teams that join: HTTP on loopback, for the gateway alone, which knows a token of this run."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import JOIN_PATH
from centralized_ml_api.api.qr import MOST_CHARACTERS, draw_qr
from centralized_ml_api.local.admission.refusals import RefusalError
from centralized_ml_api.local.gateway import JOIN_ADDRESS_HEADER, JOIN_BODY_BYTES, JOIN_PROOF_HEADER
from centralized_ml_api.local.machine.listen import refuse_web_pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.run.joining import Joined

_LONGEST_CODE = 64
_LONGEST_NAME = 512


class Desk(Protocol):
    """Who hands out the places: `JoinDesk`."""

    async def join(self, address: str, code: str, name: str) -> Joined:
        """Gives a team a place and its key; raises `RefusalError`."""
        ...


def build_join_application(desk: Desk, token: str) -> web.Application:
    """Builds `POST /join`, which takes `{"code", "name", "address"?}`.

    The answer is `{"team", "key"}`. With an `address`, that of the API as the caller sees it, it also has as
    `qr` the `path` of a QR code and the `size` of its side: the code opens the page there, signed in.
    """

    async def join(request: web.Request) -> web.Response:
        given = request.headers.get(JOIN_PROOF_HEADER, "")
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode()):
            raise web.HTTPUnauthorized
        try:
            wanted = _read(await request.read())
            joined = await desk.join(
                request.headers.get(JOIN_ADDRESS_HEADER, ""), wanted["code"], wanted["name"]
            )
        except RefusalError as refusal:
            return _refuse(refusal, request.headers.get("x-request-id", ""))
        return web.json_response(_describe(joined, wanted["address"]))

    application = web.Application(middlewares=[refuse_web_pages], client_max_size=JOIN_BODY_BYTES)
    application.add_routes([web.post(JOIN_PATH, join)])
    return application


def _describe(joined: Joined, address: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"team": joined.team, "key": joined.key}
    if address:
        drawn = draw_qr(f"{address}/#key={joined.key}")
        answer["qr"] = {"path": drawn.path, "size": drawn.size}
    return answer


def _read(body: bytes) -> dict[str, str]:
    """Reads the body.

    Raises:
        RefusalError: It is something else.
    """
    try:
        written = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusalError(errors.INVALID_BODY) from error
    if not isinstance(written, dict):
        raise RefusalError(errors.INVALID_BODY)
    return {
        "code": _text(written, "code", _LONGEST_CODE),
        "name": _text(written, "name", _LONGEST_NAME),
        "address": _address({"address": "", **written}),
    }


def _address(written: Mapping[str, Any]) -> str:
    """Returns the address, of which a QR code can be drawn: nobody joins whose answer cannot be made."""
    address = _text(written, "address", MOST_CHARACTERS)
    if not address.isascii():
        raise RefusalError(errors.INVALID_BODY)
    return address.rstrip("/")


def _text(written: Mapping[str, Any], name: str, longest: int) -> str:
    value = written.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise RefusalError(errors.INVALID_BODY)
    return value


def _refuse(refusal: RefusalError, request_id: str) -> web.Response:
    pause = refusal.retry_after_seconds
    return web.Response(
        status=refusal.error.status,
        text=errors.render_error(refusal.error, request_id),
        content_type="application/json",
        headers={} if pause is None else {"retry-after": str(pause)},
    )
