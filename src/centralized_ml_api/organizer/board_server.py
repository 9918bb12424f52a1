"""Serves the organizer's screen on loopback: the page to any browser here, all else to whoever has the token.

The token is in the fragment of the link, which browsers send to nobody. The page takes it out of the address
and sends it as `Authorization`: a page of another origin, which knows no token, can do nothing. A host name
that resolves to this machine (DNS rebinding) and a foreign `Origin` are refused besides.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from centralized_ml_api.api.loopback import LOOPBACK_NAMES
from centralized_ml_api.api.page.build import CONTENT_TYPE, build_board

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE_PATH = "/"
DOCUMENT_PATH = "/board.json"
ACTS_PATH = "/acts/{act}"
BODY_BYTES = 16 * 1024
JSON = "application/json"


class BoardSource(Protocol):
    """What the board of one target shows and does."""

    async def build(self) -> dict[str, Any]:
        """Returns everything that the page shows."""
        ...

    async def act(self, act: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Does something; returns what there is to tell, or an `error` and its `fix`."""
        ...


def build_board_application(source: BoardSource, token: str) -> web.Application:
    """Builds `GET /`, the page; `GET /board.json` and `POST /acts/NAME`, which need the token.

    An act takes a JSON object, declared as one: `{"name": entry}`, `{"team": team}`, or what else it needs.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        refuse_names(request)
        if request.path != PAGE_PATH:
            refuse_origins(request)
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(errors="surrogateescape"), f"Bearer {token}".encode()):
                raise web.HTTPUnauthorized
        response = await handler(request)
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        return response

    async def page(_: web.Request) -> web.Response:
        built = build_board()
        return web.Response(body=built.html, headers={**dict(built.headers), "content-type": CONTENT_TYPE})

    async def document(_: web.Request) -> web.Response:
        return web.json_response(await source.build())

    async def act(request: web.Request) -> web.Response:
        told = await source.act(request.match_info["act"], await read_wanted(request))
        return web.json_response(told, status=409 if "error" in told else 200)

    application = web.Application(middlewares=[guard], client_max_size=BODY_BYTES)
    application.add_routes(
        [web.get(PAGE_PATH, page), web.get(DOCUMENT_PATH, document), web.post(ACTS_PATH, act)]
    )
    return application


async def read_wanted(request: web.Request) -> dict[str, Any]:
    """Reads what an act is to be done with.

    A form of another page can send no JSON: a browser would ask first whether it may.

    Raises:
        HTTPUnsupportedMediaType: It does not declare itself JSON.
        HTTPBadRequest: It is no JSON object.

    Source: https://fetch.spec.whatwg.org/#cors-safelisted-request-header
    """
    if request.content_type != JSON:
        raise web.HTTPUnsupportedMediaType(text=f"Send {JSON}.\n")
    try:
        wanted = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest(text="The body is no JSON.\n") from error
    if not isinstance(wanted, dict):
        raise web.HTTPBadRequest(text="The body is no JSON object.\n")
    return wanted


def refuse_names(request: web.Request) -> None:
    """Refuses calls by a name that is not this machine's own, even if it resolves to it.

    Raises:
        HTTPForbidden: It is such a call.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    """
    if request.host.partition(":")[0].lower() not in LOOPBACK_NAMES:
        raise web.HTTPForbidden(text="This port is called by the address 127.0.0.1.\n")


def refuse_origins(request: web.Request) -> None:
    """Refuses what a page of another origin sends.

    Raises:
        HTTPForbidden: It is such a request.

    Source: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin and
    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
    """
    origin = request.headers.get("Origin", f"http://{request.host}")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if origin != f"http://{request.host}" or site not in {"none", "same-origin"}:
        raise web.HTTPForbidden(text="This port serves no pages of other origins.\n")
