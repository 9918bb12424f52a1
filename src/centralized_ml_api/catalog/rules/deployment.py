"""What the endpoint configuration and the model need besides container and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.facts import DeployFacts
from centralized_ml_api.catalog.rules.instances import instance_family
from centralized_ml_api.catalog.rules.variants import variant_merged

if TYPE_CHECKING:
    from centralized_ml_api.catalog.spec import Spec

_OWN_DISKS = ("g5", "g6", "g7e", "p5", "p6-b200", "trn1", "trn2")
"""Families that come with disks of their own, besides those with a `d` in their name.

Source: `volume_size_supported` of sagemaker-core 2.27.0.
"""


def build_deploy(spec: Spec, instance: str) -> DeployFacts:
    """Rule 18: timeouts, the machine image and, where the type allows one, the size of the volume."""
    settings = spec.get("deploy_kwargs") or {}
    return DeployFacts(
        download_timeout_seconds=settings.get("model_data_download_timeout"),
        startup_timeout_seconds=settings.get("container_startup_health_check_timeout"),
        volume_gib=spec.get("inference_volume_size") if takes_volume(instance) else None,
        inference_ami=settings.get("inference_ami_version"),
    )


def takes_volume(instance: str) -> bool:
    """Whether SageMaker lets one choose the size of the volume of that type."""
    family = instance_family(instance)
    return bool(family) and "d" not in family and not family.startswith(_OWN_DISKS)


def is_isolated(spec: Spec, *, package: bool, wanted: bool | None) -> bool:
    """Rule 17: whether the container is cut off from the network; packages always, else the user decides."""
    if package:
        return True
    return bool(spec.get("inference_enable_network_isolation")) if wanted is None else wanted


def build_resources(spec: Spec, instance: str) -> dict[str, Any]:
    """Rule 19: what one copy needs of a machine; empty where the model cannot share one."""
    if not spec.get("dynamic_container_deployment_supported"):
        return {}
    base = spec.get("hosting_resource_requirements") or {}
    return {**base, **variant_merged(spec, instance, "resource_requirements")}
