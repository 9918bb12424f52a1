"""Small JumpStart specs, made up for the tests, and mirrors that hold them."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.catalog.facts import ModelFacts

Spec = dict[str, Any]

REGION = "us-east-1"
GPU, CPU, NEURON = "ml.g5.2xlarge", "ml.m5.xlarge", "ml.inf2.xlarge"
GPU_IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/djl-inference:1-lmi"
CPU_IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2-cpu"
NEURON_IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/djl-inference:1-neuronx"


def variable(name: str, default: object, *, required: bool = True) -> Spec:
    """An environment variable, as specs list them."""
    return {
        "name": name,
        "type": "text",
        "default": default,
        "scope": "container",
        "required_for_model_class": required,
    }


def regional(alias: str, **properties: object) -> Spec:
    """A variant with an image that differs from region to region."""
    return {"regional_properties": {"image_uri": alias}, **({"properties": properties} if properties else {})}


def variants() -> Spec:
    """Images for three families, and special cases for single types."""
    return {
        "regional_aliases": {
            region: {
                "gpu": f"111122223333.dkr.ecr.{region}.{domain}/djl-inference:1-lmi",
                "cpu": f"111122223333.dkr.ecr.{region}.{domain}/pytorch-inference:2-cpu",
                "neuron": f"111122223333.dkr.ecr.{region}.{domain}/djl-inference:1-neuronx",
            }
            for region, domain in {
                "us-east-1": "amazonaws.com",
                "cn-north-1": "amazonaws.com.cn",
                "us-gov-west-1": "amazonaws.com",
            }.items()
        },
        "variants": {
            "g5": regional("$gpu", environment_variables={"SHARDS": "1", "FAMILY": "g5"}),
            "p6-b200": regional("$gpu", environment_variables={"SHARDS": "8"}),
            "m5": regional("$cpu"),
            "inf2": regional("$neuron", prepacked_artifact_key="tiny/neuron/v1/"),
            "ml.g5.12xlarge": {"properties": {"environment_variables": {"SHARDS": "4"}}},
            "ml.g5.48xlarge": regional("$neuron"),
            "ml.g5.24xlarge": regional("gpu"),
        },
    }


def make_spec(**changes: Any) -> Spec:
    """A prepacked, open model without configurations; `changes` replace keys, None takes one away."""
    spec: Spec = {
        "model_id": "acme-textgeneration-tiny",
        "url": "https://example.com/tiny",
        "version": "1.2.0",
        "min_sdk_version": "2.0.0",
        "training_supported": False,
        "incremental_training_supported": False,
        "hosting_ecr_specs": {"framework": "pytorch", "framework_version": "2.0", "py_version": "py310"},
        "hosting_artifact_key": "tiny/plain/v1/",
        "hosting_script_key": "tiny/script/v1/sourcedir.tar.gz",
        "hosting_prepacked_artifact_key": "tiny/prepacked/v1/",
        "hosting_use_script_uri": False,
        "inference_vulnerable": False,
        "inference_dependencies": [],
        "inference_vulnerabilities": [],
        "training_vulnerable": False,
        "training_dependencies": [],
        "training_vulnerabilities": [],
        "deprecated": False,
        "default_inference_instance_type": GPU,
        "supported_inference_instance_types": [GPU, "ml.g5.12xlarge", "ml.g5.48xlarge", CPU, NEURON],
        "inference_environment_variables": [
            variable("MODEL_ROOT", "/opt/ml/model"),
            variable("WORKERS", 1),
            variable("TRUST", default=True),
            variable("PROGRAM", "inference.py", required=False),
        ],
        "hosting_instance_type_variants": variants(),
        "predictor_specs": {
            "default_content_type": "application/json",
            "supported_content_types": ["application/json"],
            "default_accept_type": "application/json",
            "supported_accept_types": ["application/json"],
        },
        "inference_enable_network_isolation": True,
        "dynamic_container_deployment_supported": False,
        "resource_name_base": "tiny",
        **changes,
    }
    return {key: copy.deepcopy(value) for key, value in spec.items() if value is not None}


DRAFT = {
    "speculative_decoding": [
        {
            "channel_name": "draft_model",
            "artifact_version": "v1",
            "s3_data_source": {"compression_type": "None", "s3_data_type": "S3Prefix", "s3_uri": "draft/v1/"},
        }
    ]
}


def make_configured(ranking: list[str] | None = None, **components: Spec) -> Spec:
    """A newer spec: each component makes a configuration of its own name; nothing regional at the base."""
    spec = make_spec(
        hosting_instance_type_variants=None,
        inference_config_components=components,
        inference_configs={name: {"component_names": [name]} for name in components},
    )
    if ranking is not None:
        spec["inference_config_rankings"] = {"overall": {"description": "default", "rankings": ranking}}
    return spec


def component(**changes: Any) -> Spec:
    """What a configuration lays over the base."""
    return {"hosting_instance_type_variants": variants(), **changes}


def facts_of(spec: Spec, **asked: Any) -> ModelFacts:
    """The facts in us-east-1, unless another region is asked for."""
    return resolve(spec, **{"region": REGION, **asked})


def manifest_row(spec: Spec, **changes: Any) -> Spec:
    """The row of a manifest that lists the spec."""
    return {
        "model_id": spec["model_id"],
        "version": spec["version"],
        "min_version": spec.get("min_sdk_version", "2.0.0"),
        "spec_key": f"community_models/{spec['model_id']}/specs_v{spec['version']}.json",
        **changes,
    }


def write_mirror(folder: Path, *specs: Spec, rows: list[Spec] | None = None) -> Path:
    """A folder laid out as JumpStart's bucket is."""
    listed = [manifest_row(spec) for spec in specs] if rows is None else rows
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models_manifest.json").write_text(json.dumps(listed))
    for spec in specs:
        file = folder / manifest_row(spec)["spec_key"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(spec))
    return folder
