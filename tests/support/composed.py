"""The services that run of a plan, as far as what is composed of them asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.run.compose import build_gateway
from centralized_ml_api.local.run.entry_statuses import entry_statuses
from centralized_ml_api.local.run.registry import Running
from centralized_ml_api.local.run.specs import build_desired_state
from centralized_ml_api.plan.engines import CommandServing, LlamaCppServing
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import FakeService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.gateway import (
        Gateway,
    )
    from centralized_ml_api.local.status import EntryStatus
    from centralized_ml_api.local.supervision.service import Report, ServiceState
    from centralized_ml_api.plan.types import ApiPlan

LLAMA = LlamaCppServing(parse_weights("hf://o/r/m.gguf"), 2048, "auto")
CHATS = EntryTerms(places=4, body_rules="llama.cpp", slots=4, context=2048, body_limit_bytes=393_216)
VLLM = CommandServing(("serve",), ping="/health", invocations="/v1/chat/completions")
EMBEDS = CommandServing(("serve",), ping="/ping", invocations="/v1/embeddings")


class Endless(Running):
    """A service that nobody runs and that never ends."""

    def report(self) -> Report:
        return self.service.report()


class Machine:
    """The services of a plan, all ready, on ports of their own from 7000 on."""

    def __init__(self, served: ApiPlan, states: Mapping[str, ServiceState] | None = None) -> None:
        self.plan = served
        desired = build_desired_state(served)
        self.refused = desired.refused
        self.services: dict[str, Running] = {}
        for number, spec in enumerate(desired.specs.values()):
            service = FakeService(spec, state=(states or {}).get(spec.name, "ready"))
            service.ports = (7000 + number,)
            self.services[spec.name] = Endless(
                spec, service, f"{spec.name}@1", make=FakeService, ended=lambda: None
            )

    def fake(self, name: str) -> FakeService:
        service = self.services[name].service
        assert isinstance(service, FakeService)
        return service

    def gateway(self, **more: Any) -> Gateway:
        return build_gateway(self.plan, self.refused, self.services.get, **more)

    def statuses(self) -> tuple[EntryStatus, ...]:
        return entry_statuses(self.plan, self.refused, self.services.get)


NAPS = SleepPlan(idle_seconds=60, shares="gpu")
