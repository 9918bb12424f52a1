"""Where Prometheus fetches what `metrics` renders: loopback only, and only when it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from centralized_ml_api.local.traffic.metrics import CONTENT_TYPE, render_metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.local.traffic.counted import Traffic

METRICS_PATH = "/metrics"
_OWN_NAMES = ("127.0.0.1", "localhost")


class Measured(Protocol):
    """What there are metrics of."""

    def status(self) -> LocalStatus:
        """How it is now."""
        ...

    async def traffic(self) -> Traffic:
        """What was called."""
        ...


def build_metrics_application(target: Measured) -> web.Application:
    """`GET /metrics`, for those who know this machine by its own names.

    A page in a browser of this machine has the name of its own site in `Host`, also when that site's DNS
    says 127.0.0.1. Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    """

    @web.middleware
    async def only_by_own_names(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.host.partition(":")[0] not in _OWN_NAMES:
            raise web.HTTPForbidden(text="ask for 127.0.0.1 or localhost\n")
        return await handler(request)

    async def metrics(_: web.Request) -> web.Response:
        body = render_metrics(target.status(), await target.traffic())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    application = web.Application(middlewares=[only_by_own_names])
    application.add_routes([web.get(METRICS_PATH, metrics)])
    return application
