"""Rules 11, 12 and 15: where weights lie, how they are fetched, and under which licence."""

from __future__ import annotations

import pytest

from centralized_ml_api.catalog.facts import Eula, ModelData
from centralized_ml_api.catalog.failures import LicenceError
from support.jumpstart import GPU, NEURON, facts_of, make_spec

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
