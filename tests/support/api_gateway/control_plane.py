"""What a function may ask of API Gateway itself: plans, their keys, the values of these.

Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlans.html,
https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsagePlanKeys.html and
https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKey.html
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from support.api_gateway.usage_plans import API_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.api_gateway.usage_plans import UsagePlans
    from support.background import Background


@contextlib.contextmanager
def serve_control_plane(background: Background, usage: UsagePlans) -> Iterator[str]:
    """Its address, until the end of the block."""
    application, stack, listening = web.Application(), contextlib.AsyncExitStack(), bind_loopback()

    async def plans(_request: web.Request) -> web.Response:
        return _items([_plan(plan.id, plan.name) for plan in usage.plans])

    async def plan_keys(request: web.Request) -> web.Response:
        (plan,) = [each for each in usage.plans if each.id == request.match_info["plan"]]
        return _items([{"id": key.id, "type": "API_KEY"} for key in plan.keys])

    async def key(request: web.Request) -> web.Response:
        found = {key.id: key for plan in usage.plans for key in plan.keys}[request.match_info["key"]]
        value = {"value": found.value} if request.query.get("includeValue") == "true" else {}
        return web.json_response({"id": found.id, "enabled": found.enabled, **value})

    application.router.add_get("/usageplans", plans)
    application.router.add_get("/usageplans/{plan}/keys", plan_keys)
    application.router.add_get("/apikeys/{key}", key)
    background.run(serve_application(stack, application, listening, cancels=True))
    try:
        yield url_of(listening)
    finally:
        background.run(stack.aclose())


def _plan(plan_id: str, name: str) -> dict[str, Any]:
    return {"id": plan_id, "name": name, "apiStages": [{"apiId": API_ID, "stage": "prod"}]}


def _items(items: list[dict[str, Any]]) -> web.Response:
    return web.json_response({"item": items})
