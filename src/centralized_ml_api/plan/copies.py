"""What a copy of a JumpStart model reserves of an instance. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.plan.types import CopyResources

if TYPE_CHECKING:
    from centralized_ml_api.catalog.facts import ModelFacts


def read_resources(facts: ModelFacts) -> CopyResources | None:
    """Returns what JumpStart says that a copy reserves, None where it says nothing.

    Source: https://github.com/aws/sagemaker-python-sdk/blob/master/src/sagemaker/jumpstart/artifacts/resource_requirements.py
    """
    said = facts.resources
    if "min_memory_mb" not in said:
        return None
    return CopyResources(said["min_memory_mb"], said.get("num_accelerators"), said.get("num_cpus"))
