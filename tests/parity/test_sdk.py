"""The SageMaker SDK as the oracle: both sides resolve the same specs, and differ only where it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.errors import CatalogError
from parity.sdk import FAILED, Asked, ask_environments, ask_sdk
from support.jumpstart import (
    CPU,
    DRAFT,
    GPU,
    NEURON,
    REGION,
    component,
    make_configured,
    make_spec,
    manifest_row,
    variable,
    variants,
    write_mirror,
)

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.catalog.facts import ModelFacts

ARNS = {"us-east-1": "arn:aws:sagemaker:us-east-1:444455556666:model-package/tiny"}
EXACT = "ml.g5.12xlarge"
P6, P3 = "ml.p6-b200.48xlarge", "ml.p3.2xlarge"


@dataclass(frozen=True)
class Case:
    """One spec, what is asked about it, and the facts in which the two sides are meant to differ."""

    name: str
    specs: tuple[dict[str, Any], ...]
    asked: Asked = field(default_factory=lambda: Asked(REGION))
    differs: frozenset[str] = frozenset()


def asked(**changes: Any) -> Asked:
    return Asked(**{"region": REGION, **changes})


def every_instance(name: str, spec: dict[str, Any], *instances: str, **changes: Any) -> list[Case]:
    return [
        Case(f"{name} on {instance}", (spec,), asked(instance=instance, **changes)) for instance in instances
    ]


def package_variants() -> dict[str, Any]:
    table = variants()
    table["regional_aliases"]["us-east-1"]["package"] = ARNS["us-east-1"]
    table["variants"]["inf2"]["regional_properties"]["model_package_arn"] = "$package"
    return table


def sharing() -> dict[str, Any]:
    table = variants()
    table["variants"]["g5"]["properties"]["resource_requirements"] = {"num_accelerators": 1, "num_cpus": 2}
    table["variants"][EXACT]["properties"]["resource_requirements"] = {"num_accelerators": 4}
    return make_spec(
        hosting_instance_type_variants=table,
        dynamic_container_deployment_supported=True,
        hosting_resource_requirements={"min_memory_mb": 1024, "num_accelerators": 9},
    )


def configured() -> dict[str, Any]:
    spec = make_configured(
        ["slow", "fast"],
        slow=component(
            inference_environment_variables=[variable("MODE", 2), variable("LEFT_OUT", 1, required=False)],
            default_inference_instance_type=CPU,
            supported_inference_instance_types=[CPU, GPU],
            hosting_prepacked_artifact_key="tiny/slow/",
            inference_enable_network_isolation=False,
            deploy_kwargs={"model_data_download_timeout": 7},
        ),
        fast=component(
            gated_bucket=False,
            deprecated=True,
            inference_volume_size=32,
            predictor_specs={"default_accept_type": "text/plain"},
        ),
    )
    return spec | {"gated_bucket": True}


DEPLOY = {
    "inference_volume_size": 64,
    "deploy_kwargs": {
        "model_data_download_timeout": 1200,
        "container_startup_health_check_timeout": 600,
        "inference_ami_version": "ami-1",
    },
}
PAYLOADS = {
    "zulu": {"content_type": "application/json", "body": {"inputs": "Hi"}, "prompt_key": "inputs"},
    "alpha": {"content_type": "text/plain", "body": "Hi", "accept": "text/plain"},
}
PLAIN_IMAGES = {"variants": {"g5": {"properties": {"image_uri": "registry/image:1"}}}}

SAME = [
    Case("the default", (make_spec(),)),
    *every_instance("a plain spec", make_spec(), GPU, CPU, NEURON, EXACT, "ml.g5.48xlarge"),
    *[
        Case(f"in {region}", (make_spec(),), asked(region=region, instance=GPU))
        for region in ("cn-north-1", "us-gov-west-1")
    ],
    Case("a region without the image", (make_spec(),), asked(region="eu-west-1")),
    Case("no such region", (make_spec(),), asked(region="mars-north-1")),
    Case("no variants", (make_spec(hosting_instance_type_variants=None),)),
    Case("images without aliases", (make_spec(hosting_instance_type_variants=PLAIN_IMAGES),)),
    Case("a gated bucket", (make_spec(gated_bucket=True),)),
    Case("a tarball", (make_spec(hosting_prepacked_artifact_key="tiny.tar.gz"),)),
    Case("no isolation", (make_spec(inference_enable_network_isolation=None),)),
    Case("a package", (make_spec(hosting_model_package_arns=ARNS),)),
    Case("packages of no region", (make_spec(hosting_model_package_arns={}),)),
    Case("a package elsewhere", (make_spec(hosting_model_package_arns={"us-west-2": "arn"}),)),
    *every_instance(
        "a package of a family", make_spec(hosting_instance_type_variants=package_variants()), NEURON, GPU
    ),
    *every_instance("resources", sharing(), GPU, EXACT, CPU),
    *every_instance("timeouts and volume", make_spec(**DEPLOY), CPU, GPU, NEURON),
    Case("payloads", (make_spec(default_payloads=PAYLOADS),)),
    Case("configurations", (configured(),)),
    *every_instance("a named configuration", configured(), GPU, CPU, config="fast"),
    *every_instance("the other configuration", configured(), GPU, CPU, config="slow"),
    Case("no such configuration", (configured(),), asked(config="gone")),
    Case("no ranking", (make_configured(None, zebra=component(), ant=component(inference_volume_size=3)),)),
    Case(
        "a configuration that is a package",
        (make_configured(["packed"], packed=component(hosting_model_package_arns=ARNS)),),
        asked(instance=CPU),
    ),
    Case(
        "a component that says nothing",
        (make_configured(["one"], one=component(hosting_model_package_arns=None, predictor_specs={})),),
    ),
    Case("deprecated", (make_spec(deprecated=True),)),
    Case("vulnerable", (make_spec(inference_vulnerable=True),)),
    *[
        Case(
            f"version {wanted}",
            tuple(make_spec(version=version) for version in ("1.2.0", "1.3.1", "2.0.0")),
            asked(version=wanted),
        )
        for wanted in ("*", "1.*", "1.2.0", "2.*", "9.*")
    ],
]

DEVIATIONS = [
    # Rule 3: the SDK compares the versions that match `1.*` as texts, for which 1.10.0 comes before 1.9.0.
    Case(
        "1.* with 1.10",
        tuple(
            make_spec(version=version, inference_volume_size=size)
            for version, size in (("1.9.0", 9), ("1.10.0", 10))
        ),
        asked(version="1.*", instance=CPU),
        frozenset({"volume_gib"}),
    ),
    # Rule 12: the SDK fails on a key that is a whole address already.
    Case(
        "a full key",
        (make_spec(hosting_prepacked_artifact_key="s3://elsewhere/tiny/"),),
        differs=frozenset({"uri"}),
    ),
]

REFUSED = [
    # Here the SDK gives an answer, and nothing is deployed here; every fact is then refused.
    Case("rule 7: an unsupported type", (make_spec(),), asked(instance=P3)),
    Case(
        "rule 11: script mode", (make_spec(hosting_prepacked_artifact_key=None, hosting_use_script_uri=True),)
    ),
    Case("rule 12: no artifacts", (make_spec(hosting_prepacked_artifact_key=None),)),
    Case(
        "rule 16: a named configuration with a draft model",
        (make_configured(["quick"], quick=component(hosting_additional_data_sources=DRAFT)),),
        asked(config="quick"),
    ),
]


def resolve_here(mirror: Path, cache: Path, question: Asked) -> ModelFacts:
    catalog = open_catalog(
        offline=True, environment={"MLAPI_JUMPSTART_MIRROR": str(mirror), "MLAPI_CACHE": str(cache)}
    )
    return catalog.resolve(
        question.model_id,
        question.version,
        region=question.region,
        instance=question.instance,
        config=question.config,
        accept_eula=True,  # the SDK asks only when it deploys
    )


def comparable(facts: ModelFacts) -> dict[str, Any]:
    deploy = facts.deploy
    return {
        "instance": facts.instance,
        "supported_instances": list(facts.supported_instances),
        "image": facts.image,
        "model_package_arn": facts.model_package_arn,
        "uri": facts.model_data.uri if facts.model_data else None,
        "environment": dict(facts.environment),
        "network_isolation": facts.network_isolation,
        "download_timeout_seconds": deploy.download_timeout_seconds,
        "startup_timeout_seconds": deploy.startup_timeout_seconds,
        "inference_ami": deploy.inference_ami,
        "volume_gib": deploy.volume_gib,
        "payloads": [(payload.name, payload.content_type, payload.accept) for payload in facts.payloads],
        "resources": _as_the_sdk_names_them(facts),
    }


def _as_the_sdk_names_them(facts: ModelFacts) -> dict[str, Any]:
    names = {"min_memory_mb": "memory"}
    return {names.get(key, key): value for key, value in facts.resources.items()}


def _expected(here: dict[str, Any] | None, sdk: dict[str, Any]) -> dict[str, Any]:
    """What the SDK says, without what does not count for a package: rule 10 takes the ARN alone."""
    if here is None or not here["model_package_arn"]:
        return sdk
    return {**sdk, "image": None, "uri": None, "network_isolation": True}


def facts_or_none(mirror: Path, cache: Path, question: Asked) -> dict[str, Any] | None:
    try:
        return comparable(resolve_here(mirror, cache, question))
    except CatalogError:
        return None


@pytest.mark.parametrize("case", SAME, ids=lambda case: case.name)
def test_both_say_the_same(case: Case, tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", *case.specs)
    here, sdk = facts_or_none(mirror, tmp_path, case.asked), ask_sdk(mirror, case.asked)
    if here is None:
        needed = sdk["image"] if sdk["model_package_arn"] is None else sdk["model_package_arn"]
        assert needed == FAILED, f"refused here, but not by the SDK: {sdk}"
    else:
        assert here == _expected(here, sdk)


@pytest.mark.parametrize("case", DEVIATIONS, ids=lambda case: case.name)
def test_both_differ_exactly_where_it_is_written(case: Case, tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", *case.specs)
    here, sdk = facts_or_none(mirror, tmp_path, case.asked), ask_sdk(mirror, case.asked)
    assert here is not None
    assert {key for key in here if here[key] != sdk[key]} == case.differs


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused_here_but_not_by_the_sdk(case: Case, tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", *case.specs)
    with pytest.raises(CatalogError):
        resolve_here(mirror, tmp_path, case.asked)
    sdk = ask_sdk(mirror, case.asked)
    assert any(value not in (FAILED, None) for value in sdk.values())


def test_rule_16_the_sdk_takes_the_configuration_with_the_draft_model(tmp_path: Path) -> None:
    spec = make_configured(
        ["quick", "plain"],
        quick=component(hosting_additional_data_sources=DRAFT, inference_volume_size=1),
        plain=component(inference_volume_size=2),
    )
    mirror = write_mirror(tmp_path / "mirror", spec)
    question = asked(instance=CPU)
    assert ask_sdk(mirror, question)["volume_gib"] == 1
    assert resolve_here(mirror, tmp_path, question).deploy.volume_gib == 2


def test_rule_14_the_sdk_takes_what_it_said_of_one_type_over_to_the_next(tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", make_spec())
    fresh = ask_sdk(mirror, asked(instance=GPU))["environment"]
    assert ask_environments(mirror, asked(instance=EXACT), asked(instance=GPU))[-1] != fresh
    here = [resolve_here(mirror, tmp_path, asked(instance=instance)).environment for instance in (EXACT, GPU)]
    assert here[-1] == fresh


def test_both_refuse_a_row_that_needs_a_newer_sdk(tmp_path: Path) -> None:
    spec = make_spec()
    mirror = write_mirror(tmp_path / "mirror", spec, rows=[manifest_row(spec, min_version="99.0")])
    assert facts_or_none(mirror, tmp_path, asked()) is None
    assert ask_sdk(mirror, asked())["image"] == FAILED
