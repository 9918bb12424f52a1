"""Where Prometheus fetches what `metrics` renders: loopback only, and only when it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from centralized_ml_api.local.machine.listen import refuse_web_pages
from centralized_ml_api.local.traffic.counted import METRICS_PATH
from centralized_ml_api.local.traffic.metrics import CONTENT_TYPE, render_metrics

if TYPE_CHECKING:
    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.local.traffic.counted import Traffic


class Measured(Protocol):
    """What there are metrics of."""

    def status(self) -> LocalStatus:
        """How it is now."""
        ...

    async def traffic(self) -> Traffic:
        """What was called."""
        ...


def build_metrics_application(target: Measured) -> web.Application:
    """`GET /metrics`, for programs of this machine."""

    async def metrics(_: web.Request) -> web.Response:
        body = render_metrics(target.status(), await target.traffic())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    application = web.Application(middlewares=[refuse_web_pages])
    application.add_routes([web.get(METRICS_PATH, metrics)])
    return application
