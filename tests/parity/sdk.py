# ruff: noqa: SLF001  # the SDK gives these answers one by one only to itself
"""What the SageMaker SDK says about a model, from a mirror in a folder, in the words of `ModelFacts`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker.core.jumpstart import accessors, artifacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FOLDERS = ("AWS_JUMPSTART_MANIFEST_LOCAL_ROOT_DIR_OVERRIDE", "AWS_JUMPSTART_SPECS_LOCAL_ROOT_DIR_OVERRIDE")
FAILED = "<error>"


@dataclass(frozen=True)
class Asked:
    """What is asked about a model; the same for both sides."""

    region: str
    model_id: str = "acme-textgeneration-tiny"
    version: str = "*"
    instance: str | None = None
    config: str | None = None


def ask_sdk(mirror: Path, asked: Asked) -> dict[str, Any]:
    """Every fact that the SDK can be asked for; `FAILED` where it raises."""
    os.environ.update(dict.fromkeys(_FOLDERS, str(mirror)))
    instance = asked.instance or _ask(artifacts._retrieve_default_instance_type, asked, scope="inference")
    return {
        "instance": instance,
        "supported_instances": _ask(artifacts._retrieve_instance_types, asked, scope="inference"),
        "image": _ask(artifacts._retrieve_image_uri, asked, image_scope="inference", instance_type=instance),
        "model_package_arn": _ask(
            artifacts._retrieve_model_package_arn, asked, scope="inference", instance_type=instance
        ),
        "uri": _ask(artifacts._retrieve_model_uri, asked, model_scope="inference", instance_type=instance),
        "environment": _ask(
            artifacts._retrieve_default_environment_variables,
            asked,
            script="inference",
            instance_type=instance,
            include_aws_sdk_env_vars=False,
        ),
        "network_isolation": _of(
            _ask(artifacts._retrieve_model_init_kwargs, asked), "enable_network_isolation", default=False
        ),
        **_deploy(_ask(artifacts._retrieve_model_deploy_kwargs, asked, instance_type=instance)),
        "payloads": _payloads(_ask(artifacts._retrieve_example_payloads, asked)),
        "resources": _resources(
            _ask(artifacts._retrieve_default_resources, asked, scope="inference", instance_type=instance)
        ),
    }


def ask_environments(mirror: Path, *questions: Asked) -> list[Any]:
    """The variables for one question after the other, to a catalogue that remembers."""
    os.environ.update(dict.fromkeys(_FOLDERS, str(mirror)))
    accessors.JumpStartModelsAccessor._cache = None
    return [
        artifacts._retrieve_default_environment_variables(
            model_id=question.model_id,
            model_version=question.version,
            region=question.region,
            instance_type=question.instance,
            include_aws_sdk_env_vars=False,
        )
        for question in questions
    ]


def _ask(function: Callable[..., Any], asked: Asked, **more: Any) -> Any:
    """One question to a fresh catalogue: the SDK's answers change what it remembers."""
    accessors.JumpStartModelsAccessor._cache = None
    try:
        return function(
            model_id=asked.model_id,
            model_version=asked.version,
            region=asked.region,
            config_name=asked.config,
            **more,
        )
    except Exception:  # noqa: BLE001  # the SDK raises whatever comes its way, TypeError and KeyError among it
        return FAILED


def _of(values: Any, key: str, *, default: Any = None) -> Any:
    return values if values == FAILED else values.get(key, default)


def _deploy(settings: Any) -> dict[str, Any]:
    return {
        "download_timeout_seconds": _of(settings, "model_data_download_timeout"),
        "startup_timeout_seconds": _of(settings, "container_startup_health_check_timeout"),
        "inference_ami": _of(settings, "inference_ami_version"),
        "volume_gib": _of(settings, "volume_size"),
    }


def _payloads(payloads: Any) -> Any:
    if payloads == FAILED:
        return FAILED
    return [(name, payload.content_type, payload.accept) for name, payload in (payloads or {}).items()]


def _resources(resources: Any) -> Any:
    if resources is None or isinstance(resources, str):
        return resources or {}
    both = {**resources.requests, **resources.limits}
    return {key: value for key, value in both.items() if value is not None}
