"""Makes the service that runs a spec: of a function here, of a model by its engine in `servers/`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.local.lambda_host import FunctionServer
from centralized_ml_api.local.launch import CALLERS
from centralized_ml_api.local.run.specs import FunctionSpec, ServiceSpec
from centralized_ml_api.local.servers import make_service
from centralized_ml_api.local.servers.parts import ServiceParts
from centralized_ml_api.local.supervision.server_watch import ServerWatches
from centralized_ml_api.local.supervision.service import ReplicatedService, Service
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.machine.state_folder import StateFolder
    from centralized_ml_api.local.run.early_starter import EarlyStarter
    from centralized_ml_api.local.servers.parts import Say
    from centralized_ml_api.local.supervision.probe import Prober
    from centralized_ml_api.local.supervision.process import ServerLog

FUNCTION_START_SECONDS = 75.0
"""How long a function may take to be imported. Its host gives up after 60 and says why, before we would."""


@record
class ServiceFactory(ServiceParts):
    """Makes services of functions and of models."""

    @classmethod
    def of_state(
        cls, state: StateFolder, prober: Prober, runtime_url: str, starter: EarlyStarter
    ) -> ServiceFactory:
        """Returns the one of a state folder.

        Args:
            state: Has the logs of the services, and what they write.
            prober: Asks servers whether they are ready.
            runtime_url: Where functions find the models.
            starter: Starts the processes of models.
        """
        return cls(
            state.model_logs,
            state.scratch,
            prober,
            ServerWatches(prober),
            runtime_url,
            start=starter.start,
            choose_port=starter.choose_port,
        )

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> Service:
        """Makes the service of a spec, not yet running. It calls `changed` when its report changes."""
        if not isinstance(spec, FunctionSpec):
            return make_service(spec, self, changed)
        server = self.function_server(spec)

        async def prepare(_: Say, __: ServerLog) -> FunctionServer:
            return server

        return ReplicatedService(
            spec.name,
            prepare,
            replicas=1,
            logs=self.logs,
            prober=self.prober,
            changed=changed,
            timeouts=replace(self.timeouts, start=FUNCTION_START_SECONDS),
        )

    def function_server(self, spec: FunctionSpec) -> FunctionServer:
        """Builds the server that hosts a function. Pure."""
        return FunctionServer(
            function=spec.function,
            name=spec.entry,
            endpoint_name=spec.endpoint_name,
            runtime_url=f"{self.runtime_url}{CALLERS}/{spec.entry}",
            model_speaks=spec.model_speaks,
            scratch=self.scratch,
        )
