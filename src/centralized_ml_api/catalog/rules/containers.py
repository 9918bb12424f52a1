"""What runs, an image of the region or a model package, and where its artifacts are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.catalog.facts import ModelData
from centralized_ml_api.catalog.failures import MalformedSpecError, ScriptModeError, UnavailableError
from centralized_ml_api.catalog.rules.instances import regional_value, regions_of, variant_value

if TYPE_CHECKING:
    from centralized_ml_api.catalog.rules.regions import Buckets
    from centralized_ml_api.catalog.spec import Spec

_S3 = "s3://"


def find_package(spec: Spec, instance: str, region: str) -> str | None:
    """Returns the ARN of the model package (rule 10); None if the model is not a package.

    Args:
        spec: The effective spec.
        instance: The instance type.
        region: AWS's name of the region.

    Raises:
        UnavailableError: It is a package, but not in this region.
    """
    own = regional_value(spec, instance, "model_package_arn", region)
    if own:
        return own
    arns: dict[str, str] = spec.get("hosting_model_package_arns") or {}
    if arns and not arns.get(region):
        raise _unavailable(spec, "model package", region, instance, sorted(arns))
    return arns.get(region)


def find_image(spec: Spec, instance: str, region: str) -> str:
    """Returns the container image for an instance type in a region (rule 9).

    Args:
        spec: The effective spec.
        instance: The instance type.
        region: AWS's name of the region.

    Raises:
        UnavailableError: There is none; the error names the regions that have one.
    """
    image = regional_value(spec, instance, "image_uri", region)
    if not image:
        raise _unavailable(spec, "container image", region, instance, regions_of(spec, instance, "image_uri"))
    return image


def find_artifacts(spec: Spec, instance: str, buckets: Buckets, *, licensed: bool) -> ModelData:
    """Rules 11 and 12: returns the artifacts that contain both weights and code.

    Args:
        spec: The effective spec.
        instance: Some types have artifacts of their own.
        buckets: Those of the region.
        licensed: The model is gated and its licence accepted; a tarball then needs a data source, the only
            place for the acceptance.

    Raises:
        ScriptModeError: Code and weights are separate.
        MalformedSpecError: The spec names no artifacts.
    """
    if is_script_mode(spec):
        raise ScriptModeError(
            f"{spec['model_id']} {spec['version']} keeps its code apart from its weights: packing "
            "them together is not supported",
            expected="a model whose artifacts contain both",
            fix="choose a newer version or another model",
        )
    key = variant_value(spec, instance, "prepacked_artifact_key") or spec.get(
        "hosting_prepacked_artifact_key"
    )
    if not key:
        raise MalformedSpecError(
            f"JumpStart's entry of {spec['model_id']} {spec['version']} names no artifacts",
            fix="choose another version",
        )
    bucket = buckets.gated if spec.get("gated_bucket") else buckets.content
    return _model_data(key if key.startswith(_S3) else f"{_S3}{bucket}/{key}", licensed=licensed)


def is_script_mode(spec: Spec) -> bool:
    """Returns whether code and weights are separate, as they are if the spec says nothing (rule 11)."""
    use_script = spec.get("hosting_use_script_uri")
    return not spec.get("hosting_prepacked_artifact_key") and use_script in (None, True)


def _model_data(uri: str, *, licensed: bool) -> ModelData:
    if uri.endswith("/"):
        return ModelData(uri, "S3Prefix", "None")
    return ModelData(uri, "S3Object", "Gzip") if licensed else ModelData(uri, None, None)


def _unavailable(spec: Spec, what: str, region: str, instance: str, regions: list[str]) -> UnavailableError:
    name = f"{spec['model_id']} {spec['version']}"
    elsewhere = region not in regions and bool(regions)
    return UnavailableError(
        f"{name} has no {what} for {instance} in {region}",
        expected=f"one of the regions {', '.join(regions)}" if elsewhere else "an instance type with one",
        fix=f"deploy to {regions[0]}" if elsewhere else "choose another instance type or version",
    )
