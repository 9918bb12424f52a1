"""A model's published entry in JumpStart's catalogue: its shape, and the part that the rules read.

Specs come from outside of this machine. `check_spec` compares one with `SHAPE` before any rule reads it, so
rules may rely on its types; absent and null values are allowed everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from centralized_ml_api.catalog.failures import MalformedSpecError
from centralized_ml_api.record import record

Spec = Mapping[str, Any]


@record
class Each:
    """Every value of an object, or every item of a list, has this shape."""

    kind: type[dict[str, Any]] | type[list[Any]]
    shape: Shape


Shape = type | Each | dict[str, "Shape"]
"""`object` is anything; a dict has the shapes of the keys that rules read, other keys are ignored."""

_VARIANT: dict[str, Shape] = {
    "properties": {
        "image_uri": str,
        "model_package_arn": str,
        "prepacked_artifact_key": str,
        "environment_variables": Each(dict, object),
        "resource_requirements": dict,
    },
    "regional_properties": {"image_uri": str, "model_package_arn": str},
}
_FIELDS: dict[str, Shape] = {
    "default_inference_instance_type": str,
    "default_payloads": Each(dict, {"body": object, "content_type": str, "accept": str}),
    "deploy_kwargs": {
        "model_data_download_timeout": int,
        "container_startup_health_check_timeout": int,
        "inference_ami_version": str,
    },
    "deprecate_warn_message": str,
    "deprecated": bool,
    "deprecated_message": str,
    "dynamic_container_deployment_supported": bool,
    "gated_bucket": bool,
    "hosting_additional_data_sources": {"speculative_decoding": list},
    "hosting_artifact_key": str,
    "hosting_eula_key": str,
    "hosting_instance_type_variants": {
        "regional_aliases": Each(dict, Each(dict, str)),
        "variants": Each(dict, _VARIANT),
    },
    "hosting_model_package_arns": Each(dict, str),
    "hosting_prepacked_artifact_key": str,
    "hosting_resource_requirements": dict,
    "hosting_use_script_uri": bool,
    "inference_enable_network_isolation": bool,
    "inference_environment_variables": Each(
        list, {"name": str, "default": object, "required_for_model_class": bool}
    ),
    "inference_volume_size": int,
    "inference_vulnerabilities": list,
    "inference_vulnerable": bool,
    "input_modalities": Each(list, str),
    "min_sdk_version": str,
    "model_id": str,
    "model_subscription_link": str,
    "output_modalities": Each(list, str),
    "predictor_specs": {"default_accept_type": str},
    "supported_inference_instance_types": Each(list, str),
    "usage_info_message": str,
    "version": str,
}
_NULL = object()
"""Stands for a null in a list, which is always wrong: an item cannot be absent."""

SHAPE: dict[str, Shape] = {
    **_FIELDS,
    "inference_config_components": Each(dict, _FIELDS),
    "inference_config_rankings": Each(dict, {"rankings": Each(list, str)}),
    "inference_configs": Each(dict, {"component_names": Each(list, str)}),
}


def check_spec(spec: Any) -> Spec:
    """Returns a spec if it has the shape that the rules rely on. Pure.

    Raises:
        MalformedSpecError: A value has another type, or the spec does not name its model.
    """
    wrong = next(_mismatches(spec, SHAPE, "$"), "$ is nothing" if spec is None else None)
    if wrong:
        raise MalformedSpecError(f"JumpStart's entry does not have the form of its catalogue: {wrong}")
    for key in ("model_id", "version"):
        if not spec.get(key):
            raise MalformedSpecError(f"JumpStart's entry has no {key}")
    checked: Spec = spec
    return checked


def prune(value: Any, shape: Shape = SHAPE) -> Any:
    """Returns the part of a checked spec that the rules read, for a lock file that people review. Pure."""
    if value is None or isinstance(shape, type):
        return value
    if isinstance(shape, dict):
        return {key: prune(value[key], inner) for key, inner in sorted(shape.items()) if key in value}
    if shape.kind is list:
        return [prune(item, shape.shape) for item in value]
    return {key: prune(item, shape.shape) for key, item in value.items()}


def _mismatches(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Yields what does not have its shape, in words."""
    if value is None:
        return
    if isinstance(shape, type):
        if not _is_a(value, shape):
            yield f"{path} is not of type {shape.__name__}"
    elif not isinstance(value, shape.kind if isinstance(shape, Each) else dict):
        yield f"{path} is not {'a list' if isinstance(shape, Each) and shape.kind is list else 'an object'}"
    else:
        for key, member, inner in _members(value, shape):
            yield from _mismatches(member, inner, f"{path}.{key}")


def _members(value: Any, shape: Each | dict[str, Shape]) -> Iterator[tuple[str, Any, Shape]]:
    if isinstance(shape, dict):
        yield from ((key, value[key], inner) for key, inner in shape.items() if key in value)
        return
    if isinstance(value, dict):
        yield from ((str(key), member, shape.shape) for key, member in value.items())
        return
    yield from (
        (str(index), _NULL if item is None else item, shape.shape) for index, item in enumerate(value)
    )


def _is_a(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
