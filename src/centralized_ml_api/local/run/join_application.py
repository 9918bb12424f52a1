"""Answers teams that join: HTTP on loopback, for the gateway alone, which knows a token of this run."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import JOIN_PATH
from centralized_ml_api.api.joining import BODY_BYTES, describe_joined, read_request
from centralized_ml_api.local.admission.refusals import RefusalError
from centralized_ml_api.local.gateway import JOIN_ADDRESS_HEADER, JOIN_PROOF_HEADER
from centralized_ml_api.local.machine.listen import refuse_web_pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.run.joining import Joined


class PlaceGiver(Protocol):
    """Who hands out the places: `JoinDesk`."""

    async def join(self, address: str, code: str, name: str) -> Joined:
        """Gives a team a place and its key.

        Args:
            address: Where the call comes from.
            code: What the team has typed.
            name: What it wants to be called.

        Raises:
            RefusalError: It cannot join.
        """
        ...


def build_join_application(desk: PlaceGiver, token: str) -> web.Application:
    """Builds `POST /join`; `api.joining` says what it takes and how it answers."""

    async def join(request: web.Request) -> web.Response:
        given = request.headers.get(JOIN_PROOF_HEADER, "")
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode()):
            raise web.HTTPUnauthorized
        try:
            wanted = read_request(await request.read())
            if wanted is None:
                raise RefusalError(errors.INVALID_BODY)  # noqa: TRY301  # refused like the rest
            joined = await desk.join(request.headers.get(JOIN_ADDRESS_HEADER, ""), wanted.code, wanted.name)
        except RefusalError as refusal:
            return _refuse(refusal, request.headers.get("x-request-id", ""))
        answer = describe_joined(joined.team, joined.key, wanted.address)
        return _respond(200, json.dumps(answer))

    application = web.Application(middlewares=[refuse_web_pages], client_max_size=BODY_BYTES)
    application.add_routes([web.post(JOIN_PATH, join)])
    return application


def _refuse(refusal: RefusalError, request_id: str) -> web.Response:
    pause = refusal.retry_after_seconds
    text = errors.render_error(refusal.error, request_id)
    return _respond(refusal.error.status, text, {} if pause is None else {"retry-after": str(pause)})


def _respond(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Builds a response of JSON, whose type names no encoding, as on every other path."""
    body = text.encode()
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
