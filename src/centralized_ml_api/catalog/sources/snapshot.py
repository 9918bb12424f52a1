"""The specs that ship with the package, so that everything works without a network.

`tools/build_jumpstart_snapshot.py` folded them, and says what they lack; here they are unfolded into the form
in which JumpStart publishes specs, one at a time, when they are asked for.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.manifest import Row
from centralized_ml_api.catalog.sources.source import Found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.catalog.spec import Spec

FILE = "snapshot/models.json.gz"
_FOLDER = Path(__file__).resolve().parents[1]
_PLAIN = {
    "default": "default_inference_instance_type",
    "types": "supported_inference_instance_types",
    "prepacked": "hosting_prepacked_artifact_key",
    "artifact": "hosting_artifact_key",
    "gated": "gated_bucket",
    "eula": "hosting_eula_key",
    "packages": "hosting_model_package_arns",
}
"""The keys of a folded model whose values are the same in a spec, and the spec's keys."""


class Snapshot:
    """The shipped specs, the newest usable version of each model; the same for every region."""

    def rows(self, region: str) -> tuple[Row, ...]:
        """Returns one row per model; `spec_key` is its id."""
        del region
        return _all_rows()

    def read(self, row: Row, region: str) -> Found:
        """Returns the spec, unfolded; it is not complete."""
        del region
        return Found(unfold(load_folded(), row.spec_key), "snapshot", "partial")


@cache
def load_folded() -> dict[str, Any]:
    """Returns the whole folded snapshot; reads it once."""
    packed = _FOLDER.joinpath(FILE).read_bytes()
    folded: dict[str, Any] = json.loads(gzip.decompress(packed))
    return folded


def lists(model_id: str) -> bool:
    """Returns whether the package ships a spec of that model, so that every catalogue knows it."""
    return model_id in load_folded()["models"]


def registry_of(region: str) -> str | None:
    """Returns AWS's own registry in a region, such as `763104351884.dkr.ecr.us-east-1.amazonaws.com`.

    Everybody may pull its deep learning containers. Its account depends on the region; None for a region that
    the snapshot does not know.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
    """
    registry: str | None = load_folded()["registries"].get(region)
    return registry


@cache
def _all_rows() -> tuple[Row, ...]:
    models = load_folded()["models"]
    return tuple(Row(name, folded["version"], spec_key=name) for name, folded in models.items())


def unfold(folded: Mapping[str, Any], model_id: str) -> Spec:
    """Returns one model as JumpStart would publish it. Pure.

    What the snapshot lacks is filled with what is true of nearly every model that JumpStart serves without a
    script: all of the environment is needed, and the container has no network. The library that the facts are
    from deploys all of them this way.
    """
    model = folded["models"][model_id]
    return {
        "model_id": model_id,
        "version": model["version"],
        **{name: model[key] for key, name in _PLAIN.items() if key in model},
        "inference_enable_network_isolation": True,
        "inference_environment_variables": [
            {"name": name, "default": value, "required_for_model_class": True}
            for name, value in model["environment"].items()
        ],
        "hosting_instance_type_variants": {
            "regional_aliases": _aliases(folded, model["images"]),
            "variants": _variants(folded["variants"][model["variants"]], model.get("overrides", {})),
        },
    }


def _aliases(folded: Mapping[str, Any], images: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    aliases: dict[str, dict[str, str]] = {}
    for alias, places in images.items():
        for image, regions in places.items():
            for region in folded["regions"][regions]:
                aliases.setdefault(region, {})[alias] = f"{folded['registries'][region]}/{image}"
    return aliases


def _variants(images: Mapping[str, str], overrides: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    variants: dict[str, dict[str, Any]] = {
        instance: {"regional_properties": {"image_uri": alias}} for instance, alias in images.items()
    }
    for instance, environment in overrides.items():
        variants.setdefault(instance, {})["properties"] = {"environment_variables": environment}
    return variants
