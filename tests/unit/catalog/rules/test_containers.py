"""Rules 1, 9 to 12 and 15: images, packages and artifacts, region by region, and their licence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.catalog.facts import Eula, ModelData
from centralized_ml_api.catalog.failures import (
    LicenceError,
    MalformedSpecError,
    ScriptModeError,
    UnavailableError,
)
from centralized_ml_api.catalog.rules.regions import REGIONS, find_buckets
from support.jumpstart import (
    CPU,
    CPU_IMAGE,
    GPU,
    GPU_IMAGE,
    NEURON,
    NEURON_IMAGE,
    component,
    facts_of,
    make_configured,
    make_spec,
    variants,
)

ARN = "arn:aws:sagemaker:us-east-1:444455556666:model-package/tiny"


@pytest.mark.parametrize(
    ("instance", "image"),
    [
        (GPU, GPU_IMAGE),
        (CPU, CPU_IMAGE),
        (NEURON, NEURON_IMAGE),
        ("ml.g5.12xlarge", GPU_IMAGE),  # the exact type says nothing of images: its family does
        ("ml.g5.48xlarge", NEURON_IMAGE),  # exact over family
    ],
)
def test_rule_9_the_exact_type_comes_before_its_family(instance: str, image: str) -> None:
    assert facts_of(make_spec(), instance=instance).image == image


def test_rule_9_families_of_one_configuration_may_have_different_images() -> None:
    spec = make_configured(["fast"], fast=component())
    assert facts_of(spec, instance=GPU).image == GPU_IMAGE
    assert facts_of(spec, instance=CPU).image == CPU_IMAGE


def test_rule_9_an_alias_without_its_dollar_is_no_image() -> None:
    with pytest.raises(UnavailableError, match=r"no container image for ml\.g5\.24xlarge"):
        facts_of(make_spec(), instance="ml.g5.24xlarge", instance_check=False)


def test_rule_9_a_region_without_the_image_names_those_with_it() -> None:
    with pytest.raises(UnavailableError) as raised:
        facts_of(make_spec(), region="eu-west-1")
    assert raised.value.expected == "one of the regions cn-north-1, us-east-1, us-gov-west-1"


def test_rule_9_without_aliases_the_properties_hold_the_image_itself() -> None:
    spec = make_spec(
        hosting_instance_type_variants={"variants": {"g5": {"properties": {"image_uri": GPU_IMAGE}}}}
    )
    assert facts_of(spec).image == GPU_IMAGE


def test_rule_9_with_aliases_plain_properties_are_not_read() -> None:
    table = variants()
    table["variants"]["g5"] = {"properties": {"image_uri": GPU_IMAGE}}
    with pytest.raises(UnavailableError):
        facts_of(make_spec(hosting_instance_type_variants=table))


def test_rule_9_a_base_without_variants_has_no_image() -> None:
    with pytest.raises(UnavailableError, match="no container image"):
        facts_of(make_spec(hosting_instance_type_variants=None))


@pytest.mark.parametrize(
    ("region", "domain"),
    [("us-east-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn"), ("us-gov-west-1", "amazonaws.com")],
)
def test_rule_1_each_partition_has_its_buckets_and_its_domain(region: str, domain: str) -> None:
    facts = facts_of(make_spec(hosting_eula_key="eula.txt"), region=region, accept_eula=True)
    assert facts.model_data is not None
    assert facts.model_data.uri == f"s3://jumpstart-cache-prod-{region}/tiny/prepacked/v1/"
    assert facts.eula.url == f"https://jumpstart-cache-prod-{region}.s3.{region}.{domain}/eula.txt"


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("us-isof-south-1", "csp.hci.ic.gov"),
        ("eu-isoe-west-1", "cloud.adc-e.uk"),
        ("eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_rule_1_the_closed_partitions_have_domains_of_their_own(region: str, domain: str) -> None:
    assert find_buckets(region).domain == domain


@settings(deadline=None)
@given(st.text(max_size=20).filter(lambda text: text not in REGIONS))
def test_rule_1_any_other_region_is_an_error(region: str) -> None:
    with pytest.raises(UnavailableError, match="JumpStart is not available in"):
        find_buckets(region)


def test_rule_10_a_package_stands_alone_and_is_isolated() -> None:
    spec = make_spec(hosting_model_package_arns={"us-east-1": ARN}, inference_enable_network_isolation=False)
    facts = facts_of(spec, network_isolation=False)
    assert (facts.model_package_arn, facts.image, facts.model_data) == (ARN, None, None)
    assert facts.network_isolation is True


def test_rule_10_a_package_of_other_regions_names_them() -> None:
    with pytest.raises(UnavailableError, match="no model package") as raised:
        facts_of(make_spec(hosting_model_package_arns={"us-west-2": ARN}))
    assert raised.value.fix == "deploy to us-west-2"


def test_rule_10_no_packages_at_all_means_none() -> None:
    assert facts_of(make_spec(hosting_model_package_arns={})).model_package_arn is None


def test_rule_10_the_variants_package_comes_first() -> None:
    table = variants()
    table["regional_aliases"]["us-east-1"]["package"] = f"{ARN}-inf2"
    table["variants"]["inf2"]["regional_properties"]["model_package_arn"] = "$package"
    spec = make_spec(hosting_instance_type_variants=table, hosting_model_package_arns={"us-east-1": ARN})
    assert facts_of(spec, instance=NEURON).model_package_arn == f"{ARN}-inf2"
    assert facts_of(spec, instance=GPU).model_package_arn == ARN


def test_a_marketplace_model_says_where_to_subscribe() -> None:
    spec = make_spec(
        hosting_model_package_arns={"us-east-1": ARN}, model_subscription_link="https://example.com/subscribe"
    )
    assert facts_of(spec).warnings == (
        "needs a subscription on the AWS Marketplace: https://example.com/subscribe",
    )


def test_rule_11_a_prepacked_key_is_enough() -> None:
    assert facts_of(make_spec(hosting_use_script_uri=True)).model_data is not None


@pytest.mark.parametrize("use_script", [True, None])
def test_rule_11_script_mode_is_refused_with_the_reason(*, use_script: bool | None) -> None:
    spec = make_spec(hosting_prepacked_artifact_key=None, hosting_use_script_uri=use_script)
    with pytest.raises(ScriptModeError, match="packing them together is not supported"):
        facts_of(spec)


def test_rule_12_no_artifacts_named_is_an_error() -> None:
    with pytest.raises(MalformedSpecError, match="names no artifacts"):
        facts_of(make_spec(hosting_prepacked_artifact_key=None))


CONTENT, GATED = "s3://jumpstart-cache-prod-us-east-1", "s3://jumpstart-private-cache-prod-us-east-1"
EULA = "fmhMetadata/eula/tiny.txt"


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        ({}, ModelData(f"{CONTENT}/tiny/prepacked/v1/", "S3Prefix", "None")),
        ({"gated_bucket": True}, ModelData(f"{GATED}/tiny/prepacked/v1/", "S3Prefix", "None")),
        ({"hosting_prepacked_artifact_key": "tiny.tar.gz"}, ModelData(f"{CONTENT}/tiny.tar.gz", None, None)),
        (
            {"hosting_prepacked_artifact_key": "tiny.tar.gz", "hosting_eula_key": EULA},
            ModelData(f"{CONTENT}/tiny.tar.gz", "S3Object", "Gzip"),
        ),
        (
            {"hosting_prepacked_artifact_key": "tiny.tar.gz", "gated_bucket": True},
            ModelData(f"{GATED}/tiny.tar.gz", "S3Object", "Gzip"),
        ),
        (
            {"hosting_prepacked_artifact_key": "s3://elsewhere/tiny/"},
            ModelData("s3://elsewhere/tiny/", "S3Prefix", "None"),
        ),
    ],
    ids=["open", "gated", "tarball", "tarball with licence", "gated tarball", "full key"],
)
def test_rule_12_the_data_source(changes: dict[str, object], data: ModelData) -> None:
    assert facts_of(make_spec(**changes), accept_eula=True).model_data == data


def test_rule_11_a_family_may_have_artifacts_of_its_own() -> None:
    neuron = facts_of(make_spec(), instance=NEURON).model_data
    gpu = facts_of(make_spec(), instance=GPU).model_data
    assert neuron is not None
    assert gpu is not None
    assert neuron.uri.endswith("tiny/neuron/v1/")
    assert gpu.uri.endswith("tiny/prepacked/v1/")


@pytest.mark.parametrize(
    "changes", [{"hosting_eula_key": EULA}, {"hosting_eula_key": EULA, "gated_bucket": True}]
)
def test_rule_15_a_licence_that_is_not_accepted_is_an_error_with_its_address(
    changes: dict[str, object],
) -> None:
    with pytest.raises(LicenceError) as raised:
        facts_of(make_spec(**changes))
    assert (
        f"https://jumpstart-cache-prod-us-east-1.s3.us-east-1.amazonaws.com/{EULA}" in raised.value.expected
    )


def test_rule_15_a_gated_bucket_alone_asks_too() -> None:
    with pytest.raises(LicenceError, match="on the page of its publisher"):
        facts_of(make_spec(gated_bucket=True))
    assert facts_of(make_spec(gated_bucket=True), accept_eula=True).eula == Eula(required=True, url=None)


def test_rule_15_neither_asks_nothing_even_when_accepted() -> None:
    assert facts_of(make_spec(), accept_eula=True).eula == Eula(required=False, url=None)
