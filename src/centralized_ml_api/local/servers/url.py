"""`url`: a server that already runs, here or elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.supervision.service import ExternalService

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.servers.parts import ModelSpec, ServiceParts
    from centralized_ml_api.local.supervision.service import Service
    from centralized_ml_api.plan.engines import UrlServing


def make_service(
    spec: ModelSpec, serving: UrlServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that only watches the server."""
    del spec
    return ExternalService(serving.target, parts.watches, changed)
