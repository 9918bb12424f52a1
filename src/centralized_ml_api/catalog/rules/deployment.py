"""What an endpoint and its model need besides container and artifacts, and the examples to call it with."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.facts import DeployFacts, Payload
from centralized_ml_api.catalog.rules.instances import variant_merged
from centralized_ml_api.instance_types import takes_volume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.catalog.spec import Spec

_IN_S3 = re.compile(r"\$s3(_b64)?<[^>]*>")
_JSON = "application/json"


def build_deploy(spec: Spec, instance: str) -> DeployFacts:
    """Returns timeouts, the machine image and, if the type allows one, the size of the volume (rule 18)."""
    settings = spec.get("deploy_kwargs") or {}
    return DeployFacts(
        download_timeout_seconds=settings.get("model_data_download_timeout"),
        startup_timeout_seconds=settings.get("container_startup_health_check_timeout"),
        volume_gib=spec.get("inference_volume_size") if takes_volume(instance) else None,
        inference_ami=settings.get("inference_ami_version"),
    )


def is_isolated(spec: Spec, *, package: bool, wanted: bool | None) -> bool:
    """Returns whether the container has no network (rule 17); a package never has, else the user decides.

    Args:
        spec: The effective spec.
        package: Whether the model is a package.
        wanted: The user's choice; None takes the spec's.
    """
    if package:
        return True
    return bool(spec.get("inference_enable_network_isolation")) if wanted is None else wanted


def build_resources(spec: Spec, instance: str) -> dict[str, Any]:
    """Returns what one copy needs of a machine (rule 19); empty if the model cannot share one."""
    if not spec.get("dynamic_container_deployment_supported"):
        return {}
    base = spec.get("hosting_resource_requirements") or {}
    return {**base, **variant_merged(spec, instance, "resource_requirements")}


def build_environment(spec: Spec, instance: str, user: Mapping[str, str]) -> dict[str, str]:
    """Rules 13 and 14: returns the container's variables; the later of these wins.

    What the model needs, what its family and then the exact type add, what the user sets.

    Args:
        spec: The effective spec.
        instance: The instance type.
        user: The user's own variables.
    """
    needed = {
        variable["name"]: str(variable.get("default"))
        for variable in spec.get("inference_environment_variables") or []
        if variable.get("name") and variable.get("required_for_model_class")
    }
    special = variant_merged(spec, instance, "environment_variables")
    return {**needed, **{name: str(value) for name, value in special.items()}, **user}


def build_payloads(spec: Spec) -> tuple[Payload, ...]:
    """Returns the publisher's example requests, in the order of the spec (rule 20)."""
    accept = (spec.get("predictor_specs") or {}).get("default_accept_type") or _JSON
    examples = spec.get("default_payloads") or {}
    return tuple(_payload(name, example or {}, accept) for name, example in examples.items())


def _payload(name: str, example: dict[str, Any], accept: str) -> Payload:
    body = example.get("body")
    return Payload(
        name=name,
        content_type=example.get("content_type") or _JSON,
        accept=example.get("accept") or accept,
        body=None if _is_in_s3(body) else copy.deepcopy(body),
    )


def _is_in_s3(body: Any) -> bool:
    """Returns whether the body, or any text in it, stands for an object in JumpStart's bucket."""
    if isinstance(body, str):
        return bool(_IN_S3.search(body))
    inner = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return any(_is_in_s3(value) for value in inner)
