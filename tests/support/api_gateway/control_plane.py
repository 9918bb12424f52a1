"""What functions may ask of API Gateway itself: keys of the account, as often as its quota admits.

Source: https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKeys.html and
https://docs.aws.amazon.com/apigateway/latest/api/API_GetApiKey.html
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from support.api_gateway.quota import ControlPlaneQuota, TooManyRequestsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.api_gateway.usage_plans import Key, UsagePlans
    from support.background import Background

_KEYS_A_PAGE, _MOST_KEYS_A_PAGE = 25, 500


@contextlib.contextmanager
def serve_control_plane(
    background: Background, usage: UsagePlans, quota: ControlPlaneQuota | None = None
) -> Iterator[str]:
    """Its address, until the end of the block."""
    application, stack, listening = web.Application(), contextlib.AsyncExitStack(), bind_loopback()
    kept = quota or ControlPlaneQuota()

    async def keys(request: web.Request) -> web.Response:
        try:
            kept.admit("GetApiKeys")
        except TooManyRequestsError:
            named = {"x-amzn-ErrorType": "TooManyRequestsException"}
            return web.json_response({"message": "Too Many Requests"}, status=429, headers=named)
        found = [key for plan in usage.plans for key in plan.keys]
        start = int(request.query.get("position", "0"))
        end = start + min(int(request.query.get("limit", _KEYS_A_PAGE)), _MOST_KEYS_A_PAGE)
        values = request.query.get("includeValues") == "true"
        more = {"position": str(end)} if end < len(found) else {}
        return web.json_response({"item": [_key(key, values=values) for key in found[start:end]], **more})

    async def key(request: web.Request) -> web.Response:
        found = {key.id: key for plan in usage.plans for key in plan.keys}[request.match_info["id"]]
        return web.json_response(_key(found, values=request.query.get("includeValue") == "true"))

    application.router.add_get("/apikeys", keys)
    application.router.add_get("/apikeys/{id}", key)
    background.run(serve_application(stack, application, listening, cancels=True))
    try:
        yield url_of(listening)
    finally:
        background.run(stack.aclose())


def _key(key: Key, *, values: bool) -> dict[str, Any]:
    value = {"value": key.value} if values else {}
    return {"id": key.id, "enabled": key.enabled, "tags": dict(key.tags), **value}
