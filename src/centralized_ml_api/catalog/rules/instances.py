"""Instance types: which one, of which family, and whether the publisher tried it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.failures import MalformedSpecError, UnsupportedInstanceError
from centralized_ml_api.catalog.suggestion import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.catalog.spec import Spec
    from centralized_ml_api.errors import CatalogError

_FAMILY = re.compile(r"ml[._]([a-z\d-]+)\.?\w*")


def instance_family(instance: str) -> str:
    """Rule 8: `ml.p6-b200.48xlarge` -> `p6-b200`; empty where the text is no instance type.

    Source: `get_instance_type_family` of sagemaker-core 2.27.0 (the form of names that it accepts).
    """
    match = _FAMILY.fullmatch(instance)
    return match[1] if match else ""


def choose_instance(spec: Spec, wanted: str | None) -> str:
    """Rule 7: the wanted type, else the model's default.

    Raises:
        MalformedSpecError: nothing was asked for, and the spec names no default.
    """
    chosen = wanted or default_instance(spec)
    if not chosen:
        raise MalformedSpecError(
            f"{spec['model_id']} {spec['version']} names no default instance type",
            fix="name an instance type",
        )
    return chosen


def default_instance(spec: Spec) -> str:
    """The type that the publisher recommends; empty where none is named."""
    return spec.get("default_inference_instance_type") or ""


def supported_instances(spec: Spec) -> tuple[str, ...]:
    """The types that the publisher tried, in the spec's order; empty where it names none."""
    return tuple(spec.get("supported_inference_instance_types") or ())


def check_instance(spec: Spec, instance: str) -> Iterator[CatalogError]:
    """Rule 7: a type that the publisher did not try is refused. A spec that names none allows every type."""
    supported = supported_instances(spec)
    if not supported or instance in supported:
        return
    near = closest(instance, supported, 1)
    yield UnsupportedInstanceError(
        f"{spec['model_id']} is not supported on {instance}",
        found=f'"{instance}"',
        expected=", ".join(supported),
        fix=f'write "{near[0] if near else default_instance(spec) or supported[0]}"',
    )
