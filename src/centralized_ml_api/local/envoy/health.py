"""`GET /health`: whether the models answer, and which do not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import METHODS
from centralized_ml_api.api.http import HEALTH_PATH
from centralized_ml_api.local.envoy.api_keys import list_audiences
from centralized_ml_api.local.envoy.direct_responses import answer_callers, build_json_routes
from centralized_ml_api.local.envoy.headers import REQUEST_ID, build_retry_after
from centralized_ml_api.local.gateway import ServedRoute

if TYPE_CHECKING:
    from collections.abc import Collection

    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.gateway import Gateway


def build_health_routes(gateway: Gateway) -> list[Route]:
    """Builds `GET /health`: 200, or 503 with the names of the models that cannot answer now, and why.

    With teams, it names to a caller with a key what the team may call, and nothing to others. Pure.
    """
    served = {route.name for route in gateway.routes if isinstance(route, ServedRoute)}
    if not gateway.needs_key:
        return _build_health(gateway, served)
    own = [
        route
        for models, callers in list_audiences(gateway.teams)
        for route in answer_callers(
            _build_health(gateway, served if models is None else served.intersection(models)), callers
        )
    ]
    return [*own, *_build_health(gateway, served, names=False)]


def _build_health(gateway: Gateway, served: Collection[str], *, names: bool = True) -> list[Route]:
    """Builds what is said of these entries; without `names` only whether all of them are ready."""
    closed = {**dict(gateway.unready), **dict.fromkeys(gateway.paused, errors.NOT_READY_REASONS["paused"])}
    unready = {name: reason for name, reason in sorted(closed.items()) if name in served}
    document: dict[str, Any] = {"status": "unready" if unready else "ok"}
    asleep = {name: state for name, state in sorted(gateway.asleep) if name in served and name not in unready}
    if names:
        document["ready"] = sorted(name for name in served if name not in unready and name not in asleep)
        document["unready"] = unready
        document |= {"asleep": asleep} if asleep else {}
    path = {"path": HEALTH_PATH}
    if not unready:
        return build_json_routes(path, document, methods=METHODS)
    error = errors.MODEL_NOT_READY.with_message("unnamed")
    if names:
        reasons = "; ".join(f"{name} ({reason})" for name, reason in unready.items())
        error = errors.MODEL_NOT_READY.with_message("listing", models=reasons)
    document = {**errors.build_error(error, REQUEST_ID), **document}
    return build_json_routes(
        path, document, methods=METHODS, status=error.status, headers=[build_retry_after()]
    )
