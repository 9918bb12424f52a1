"""Rules 4, 13, 14, 17 to 21: environment, isolation, timeouts, volume, resources, examples, lifecycle."""

from __future__ import annotations

import copy
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.catalog.facts import DeployFacts, Payload
from centralized_ml_api.catalog.failures import (
    DeprecatedModelError,
    LicenceError,
    SeveralRefusals,
    UnsupportedInstanceError,
    VulnerableModelError,
)
from centralized_ml_api.catalog.rules.task import can_stream
from support.jumpstart import (
    CPU,
    GPU,
    GPU_IMAGE,
    NEURON,
    component,
    facts_of,
    make_configured,
    make_spec,
    variants,
)


@pytest.mark.parametrize(
    ("spec", "user", "isolated"),
    [
        (None, None, False),
        (True, None, True),
        (False, None, False),
        (True, False, False),
        (False, True, True),
    ],
)
def test_rule_17_the_user_wins_over_the_spec(*, spec: bool | None, user: bool | None, isolated: bool) -> None:
    facts = facts_of(make_spec(inference_enable_network_isolation=spec), network_isolation=user)
    assert facts.network_isolation is isolated


def test_rule_18_timeouts_image_and_volume() -> None:
    spec = make_spec(
        inference_volume_size=64,
        deploy_kwargs={
            "model_data_download_timeout": 1200,
            "container_startup_health_check_timeout": 600,
            "inference_ami_version": "al2-ami-1",
            "unknown": "ignored",
        },
    )
    assert facts_of(spec, instance=CPU).deploy == DeployFacts(1200, 600, 64, "al2-ami-1")
    assert facts_of(spec, instance=GPU).deploy.volume_gib is None
    assert facts_of(make_spec()).deploy == DeployFacts(None, None, None, None)


def test_rule_19_resources_only_of_models_that_can_share_a_machine() -> None:
    table = variants()
    table["variants"]["g5"]["properties"]["resource_requirements"] = {"num_accelerators": 1, "copies": 2}
    table["variants"]["ml.g5.12xlarge"]["properties"]["resource_requirements"] = {"num_accelerators": 4}
    changes = {
        "hosting_resource_requirements": {"min_memory_mb": 1024, "num_accelerators": 9},
        "hosting_instance_type_variants": table,
    }
    assert facts_of(make_spec(**changes), instance="ml.g5.12xlarge").resources == {}
    sharing = make_spec(**changes, dynamic_container_deployment_supported=True)
    assert facts_of(sharing, instance="ml.g5.12xlarge").resources == {
        "min_memory_mb": 1024,
        "num_accelerators": 4,
        "copies": 2,
    }
    assert facts_of(sharing, instance=CPU).resources == {"min_memory_mb": 1024, "num_accelerators": 9}


def test_rule_20_examples_in_their_order_and_none_from_s3() -> None:
    payloads = {
        "zulu": {"content_type": "application/json", "body": {"inputs": "Hi"}},
        "alpha": {"content_type": "text/plain", "body": "Hi", "accept": "text/plain"},
        "image": {"content_type": "application/x-image", "body": "$s3<tiny/cat.jpg>"},
        "nested": {"content_type": "application/json", "body": {"images": ["a", "$s3_b64<tiny/cat.jpg>"]}},
        "within": {"content_type": "application/json", "body": {"text": "see $s3_b64<tiny/cat.jpg> there"}},
    }
    spec = make_spec(default_payloads=payloads, predictor_specs={"default_accept_type": "application/x-tiny"})
    assert facts_of(spec).payloads == (
        Payload("zulu", "application/json", "application/x-tiny", {"inputs": "Hi"}),
        Payload("alpha", "text/plain", "text/plain", "Hi"),
        Payload("image", "application/x-image", "application/x-tiny", None),
        Payload("nested", "application/json", "application/x-tiny", None),
        Payload("within", "application/json", "application/x-tiny", None),
    )


def test_rule_21_the_task_and_what_goes_in_and_out() -> None:
    assert facts_of(make_spec()).task == "textgeneration"
    both = {"input_modalities": ["Text", "Image"], "output_modalities": ["Text"]}
    assert facts_of(make_spec(**both)).task == "textgeneration (Text, Image -> Text)"


@pytest.mark.parametrize(
    ("image", "streams"),
    [
        (GPU_IMAGE, True),
        ("1.dkr.ecr.us-east-1.amazonaws.com/vllm:0.18", True),
        ("1.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.4", True),
        ("1.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:2.4-tgi", False),
        ("1.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.0", False),
        (None, False),
    ],
)
def test_rule_21_streaming_is_told_by_the_images_repository(image: str | None, *, streams: bool) -> None:
    assert can_stream(image) is streams


def test_rule_4_deprecated_and_vulnerable_are_refused_unless_tolerated_by_name() -> None:
    deprecated = make_spec(deprecated=True, deprecated_message="use another")
    vulnerable = make_spec(inference_vulnerable=True, inference_vulnerabilities=["CVE-1"])
    with pytest.raises(DeprecatedModelError, match="use another"):
        facts_of(deprecated, tolerate={"vulnerable"})
    with pytest.raises(VulnerableModelError, match="CVE-1"):
        facts_of(vulnerable, tolerate={"deprecated"})
    assert facts_of(deprecated, tolerate={"deprecated"}).warnings == ("deprecated: use another",)
    assert len(facts_of(vulnerable, tolerate={"vulnerable"}).warnings) == 1


def test_rule_4_messages_are_warnings() -> None:
    spec = make_spec(deprecate_warn_message="soon gone", usage_info_message="mind the gap")
    assert facts_of(spec).warnings == ("soon gone", "mind the gap")


def test_everything_that_stands_against_a_model_is_said_at_once() -> None:
    spec = make_spec(deprecated=True, hosting_eula_key="eula.txt")
    with pytest.raises(SeveralRefusals) as raised:
        facts_of(spec, instance="ml.c7.large")
    assert [type(refusal) for refusal in raised.value.refusals] == [
        DeprecatedModelError,
        UnsupportedInstanceError,
        LicenceError,
    ]


EXACT = "ml.g5.12xlarge"
NEEDED = {"MODEL_ROOT": "/opt/ml/model", "WORKERS": "1", "TRUST": "True"}


def test_rule_13_only_what_is_required_and_every_value_as_text() -> None:
    assert facts_of(make_spec(), instance=CPU).environment == NEEDED


def test_rule_13_family_then_exact_type_then_the_user() -> None:
    assert facts_of(make_spec(), instance=GPU).environment == {**NEEDED, "SHARDS": "1", "FAMILY": "g5"}
    assert facts_of(make_spec(), instance=EXACT).environment == {**NEEDED, "SHARDS": "4", "FAMILY": "g5"}
    mine = facts_of(make_spec(), instance=EXACT, environment={"SHARDS": "2", "WORKERS": "3", "OWN": "x"})
    assert mine.environment == {**NEEDED, "WORKERS": "3", "SHARDS": "2", "FAMILY": "g5", "OWN": "x"}


def test_rule_13_a_family_with_a_hyphen_has_its_variables() -> None:
    facts = facts_of(make_spec(), instance="ml.p6-b200.48xlarge", instance_check=False)
    assert facts.environment["SHARDS"] == "8"


@pytest.mark.parametrize("order", list(permutations([GPU, EXACT, CPU])))
def test_rule_14_no_type_leaks_into_the_next(order: tuple[str, ...]) -> None:
    spec = make_spec()
    alone = {instance: facts_of(make_spec(), instance=instance) for instance in order}
    assert {instance: facts_of(spec, instance=instance) for instance in order} == alone


@settings(deadline=None)
@given(
    instance=st.sampled_from([GPU, EXACT, CPU, NEURON]),
    config=st.sampled_from([None, "fast", "slow"]),
    environment=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)
def test_rule_14_a_spec_is_the_same_afterwards(
    instance: str, config: str | None, environment: dict[str, str]
) -> None:
    extra = [{"name": "MODE", "default": 2, "required_for_model_class": True}]
    spec = make_configured(["fast"], fast=component(), slow=component(inference_environment_variables=extra))
    before = copy.deepcopy(spec)
    first = facts_of(spec, instance=instance, config=config, environment=environment)
    assert spec == before
    assert facts_of(spec, instance=instance, config=config, environment=environment) == first
