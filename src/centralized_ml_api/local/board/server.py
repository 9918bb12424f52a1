"""Serves the organizer's screen on loopback: the page to any browser here, all else to whoever has the token.

The token is in the fragment of the link, which browsers send to nobody. The page takes it out of the address
and sends it as `Authorization`: a page of another origin, which knows no token, can do nothing. A host name
that resolves to this machine (DNS rebinding) and a foreign `Origin` are refused besides.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from centralized_ml_api.api.page import CONTENT_TYPE, build_board
from centralized_ml_api.local.machine.listen import OWN_NAMES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE_PATH = "/"
DOCUMENT_PATH = "/board.json"


class BoardSource(Protocol):
    """What the board shows: `Board`."""

    async def build(self) -> dict[str, Any]:
        """Returns everything that the page shows."""
        ...


def build_board_application(source: BoardSource, token: str) -> web.Application:
    """Builds `GET /`, the page, and `GET /board.json`, which needs the token."""

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

    application = web.Application(middlewares=[guard])
    application.add_routes([web.get(PAGE_PATH, page), web.get(DOCUMENT_PATH, document)])
    return application


def refuse_names(request: web.Request) -> None:
    """Refuses calls by a name that is not this machine's own, even if it resolves to it.

    Raises:
        HTTPForbidden: It is such a call.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    """
    if request.host.partition(":")[0].lower() not in OWN_NAMES:
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
