"""Model servers, one engine a file: the module with the engine's name makes its services.

make_service(spec, serving, parts, changed) -> Service
spec      the model, see `parts.ModelSpec`
serving   how this machine serves it, of the engine's own class in `plan/engines.py`
parts     what services are made of, see `parts.ServiceParts`
changed   called after each change of the service's report
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.servers.parts import ModelSpec, ServiceParts
    from centralized_ml_api.local.supervision.service import Service


def make_service(spec: ModelSpec, parts: ServiceParts, changed: Callable[[], None]) -> Service:
    """Makes the service of a model by its engine; it does not run yet.

    Args:
        spec: The model.
        parts: What services are made of.
        changed: Called after each change of the service's report.
    """
    serving = spec.local.serving
    module = import_module(f"{__name__}.{serving.engine.replace('.', '_')}")
    service: Service = module.make_service(spec, serving, parts, changed)
    return service
