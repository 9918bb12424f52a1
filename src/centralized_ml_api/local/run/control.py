"""Answers the `mlapi` processes that ask by `control_client`: HTTP on loopback, with a token of this run.

The token is in `run.json` of the state folder, which only this user may read.
"""

from __future__ import annotations

import asyncio
import hmac
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from centralized_ml_api.api.error_shape import REFUSED, render_error
from centralized_ml_api.local.machine.listen import refuse_web_pages
from centralized_ml_api.local.run.tasks import wait_for_first
from centralized_ml_api.organizer.board_server import read_wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.local.traffic.types import Traffic
    from centralized_ml_api.organizer.journal import Actor

_ANNOUNCED_WITHIN = "announced_within"


class Controlled(Protocol):
    """What can be controlled: `LocalTarget`."""

    async def until_announced(self, seconds: float) -> None:
        """Waits until it is time to announce that the API serves, no longer than so many seconds."""
        ...

    async def look(self) -> LocalStatus:
        """Returns how it is now."""
        ...

    async def traffic(self) -> Traffic:
        """Returns what was called."""
        ...

    async def reload(self, config: str | None) -> dict[str, Any]:
        """Applies the config again, or another one; see `LocalTarget.reload`."""
        ...

    @property
    def board_link(self) -> str:
        """The link to the organizer's screen, with its token."""
        ...

    async def act(self, act: str, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Does something; see `Acts.do`."""
        ...


def build_control_application(target: Controlled, token: str) -> web.Application:
    """Builds `GET /status`, `/traffic` and `/board`; `POST /reload` and `POST /acts/NAME`.

    `/reload` takes `{"config": path or null}`, an act what `Acts` says of it.
    With `?announced_within=SECONDS`, the status comes once the API is announced, or after that time.
    A request that says something else is refused with 400.
    Every call needs the token; without it the answer is 401.
    """

    @web.middleware
    async def only_with_token(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), f"Bearer {token}".encode()):
            raise web.HTTPUnauthorized
        return await handler(request)

    closing = asyncio.Event()

    async def close(_: web.Application) -> None:
        closing.set()

    async def status(request: web.Request) -> web.Response:
        if seconds := _read_seconds(request):
            # No stop waits for whoever waits for the announcement.
            await wait_for_first(target.until_announced(seconds), closing.wait())
        return web.json_response((await target.look()).to_json())

    async def traffic(_: web.Request) -> web.Response:
        return web.json_response((await target.traffic()).to_json())

    async def board(_: web.Request) -> web.Response:
        return web.json_response({"link": target.board_link})

    async def reload(request: web.Request) -> web.Response:
        return web.json_response(await target.reload(await _read_config(request)))

    async def act(request: web.Request) -> web.Response:
        told = await target.act(request.match_info["act"], await read_wanted(request), "command line")
        return web.json_response(told)

    application = web.Application(middlewares=[refuse_web_pages, only_with_token])
    application.on_shutdown.append(close)
    application.add_routes(
        [
            web.get("/status", status),
            web.get("/traffic", traffic),
            web.get("/board", board),
            web.post("/reload", reload),
            web.post("/acts/{act}", act),
        ]
    )
    return application


def _read_seconds(request: web.Request) -> float:
    """Reads how long to wait for the announcement; 0 if the query does not say.

    Raises:
        HTTPBadRequest: It says anything but one finite number that is not negative.
    """
    given = request.query.getall(_ANNOUNCED_WITHIN, ["0"])
    try:
        seconds = float(given[0])
    except ValueError:
        seconds = math.nan
    if len(given) > 1 or not 0 <= seconds < math.inf:
        error = replace(REFUSED, message=f"'{_ANNOUNCED_WITHIN}' must be one number of seconds from 0 on.")
        raise web.HTTPBadRequest(text=render_error(error, ""), content_type="application/json")
    return seconds


async def _read_config(request: web.Request) -> str | None:
    """Reads the path of the config that is to be applied; None for the same again.

    Raises:
        HTTPBadRequest: It is no path.
    """
    config = (await read_wanted(request)).get("config")
    if not isinstance(config, str | None):
        raise web.HTTPBadRequest(text="`config` is no path.\n")
    return config
