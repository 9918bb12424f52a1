"""Where a model's weights lie, and how SageMaker is to fetch them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.catalog.facts import ModelData
from centralized_ml_api.catalog.failures import MalformedSpecError, ScriptModeError
from centralized_ml_api.catalog.rules.variants import variant_value

if TYPE_CHECKING:
    from centralized_ml_api.catalog.rules.regions import Buckets
    from centralized_ml_api.catalog.spec import Spec

_S3 = "s3://"


def find_artifacts(spec: Spec, instance: str, buckets: Buckets, *, licensed: bool) -> ModelData:
    """Rules 11 and 12: the artifacts that hold both weights and code.

    Args:
        spec: the effective spec.
        instance: some types have artifacts of their own.
        buckets: of the region.
        licensed: the model is gated and its licence accepted; a tarball then needs a data source, which
            alone can carry the acceptance.

    Raises:
        ScriptModeError: the code lies apart from the weights.
        MalformedSpecError: the spec names no artifacts.
    """
    if is_script_mode(spec):
        raise ScriptModeError(
            f"{spec['model_id']} {spec['version']} keeps its code apart from its weights: they would have "
            "to be packed together and uploaded, which is not done here",
            expected="a model whose artifacts hold both",
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
    """Rule 11: whether code and weights come separately. A spec that says nothing means that they do."""
    use_script = spec.get("hosting_use_script_uri")
    return not spec.get("hosting_prepacked_artifact_key") and use_script in (None, True)


def _model_data(uri: str, *, licensed: bool) -> ModelData:
    if uri.endswith("/"):
        return ModelData(uri, "S3Prefix", "None")
    return ModelData(uri, "S3Object", "Gzip") if licensed else ModelData(uri, None, None)
