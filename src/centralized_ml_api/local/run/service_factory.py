"""From a spec to the service that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.local.lambda_host import FunctionServer
from centralized_ml_api.local.run.specs import FunctionSpec, ServiceSpec
from centralized_ml_api.local.servers import make_service
from centralized_ml_api.local.servers.model import ServiceParts
from centralized_ml_api.local.supervision.replica import Timeouts
from centralized_ml_api.local.supervision.service import ReplicatedService, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.servers.model import Say
    from centralized_ml_api.local.supervision.process import ServerLog

FUNCTION_START_SECONDS = 75.0
"""How long a function may take to be imported; its host gives up after 60 and says why, before we would."""


@dataclass(frozen=True, slots=True)
class ServiceFactory(ServiceParts):
    """Makes services of functions and of models."""

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> Service:
        """Makes the service of a spec, not yet running; `changed` is called when its report changes."""
        if isinstance(spec, FunctionSpec):
            return self._function(spec, changed)
        return make_service(spec, self, changed)

    def _function(self, spec: FunctionSpec, changed: Callable[[], None]) -> Service:
        server = FunctionServer(
            function=spec.function,
            name=spec.entry,
            endpoint_name=spec.endpoint_name,
            runtime_url=self.runtime_url,
            model_speaks=spec.model_speaks,
            scratch=self.scratch,
        )

        async def prepare(_: Say, __: ServerLog) -> FunctionServer:
            return server

        return ReplicatedService(
            spec.name,
            prepare,
            replicas=1,
            logs=self.logs,
            prober=self.prober,
            changed=changed,
            timeouts=Timeouts(FUNCTION_START_SECONDS, self.timeouts.probe, self.timeouts.silence),
        )
