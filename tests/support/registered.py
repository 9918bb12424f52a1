"""A registry of fake services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.local.run.registry import (
    Registry,
)
from centralized_ml_api.local.servers.parts import ModelSpec
from centralized_ml_api.plan.types import LocalPlan
from support.fake_target import ECHO, FakeService

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.run.specs import ServiceSpec

SPEC = ModelSpec("echo", LocalPlan(ECHO, 1, {}), (Path("/config"),))
OTHER = ModelSpec("other", LocalPlan(ECHO, 1, {}), (Path("/config"),))


def registry(ended: Callable[[], None] = lambda: None) -> Registry:
    def make(spec: ServiceSpec) -> FakeService:
        return FakeService(spec)

    return Registry(make, ended)
