"""Rules 5, 6 and 16: inference configurations."""

from __future__ import annotations

import pytest

from centralized_ml_api.catalog.failures import InexpressibleConfigError, UnknownConfigError
from centralized_ml_api.catalog.rules.configs import NEVER_OVERRIDDEN, build_effective
from support.jumpstart import CPU, DRAFT, GPU, component, facts_of, make_configured, make_spec


def test_rule_5_a_model_without_configurations_has_none() -> None:
    assert facts_of(make_spec()).config is None


def test_rule_5_the_best_in_rank_unless_one_is_named() -> None:
    spec = make_configured(["slow", "fast"], fast=component(), slow=component())
    assert facts_of(spec).config == "slow"
    assert facts_of(spec, config="fast").config == "fast"


@pytest.mark.parametrize("ranking", [None, ["gone"]])
def test_rule_5_without_a_ranking_the_first_name_in_the_alphabet(ranking: list[str] | None) -> None:
    assert facts_of(make_configured(ranking, zebra=component(), ant=component())).config == "ant"


def test_rule_5_the_instance_type_does_not_choose() -> None:
    cpu = component(supported_inference_instance_types=[CPU])
    spec = make_configured(["gpu", "cpu"], gpu=component(), cpu=cpu)
    assert facts_of(spec, instance=CPU).config == "gpu"


def test_rule_5_an_unknown_configuration_names_those_there_are() -> None:
    spec = make_configured(["fast"], fast=component(), slow=component())
    with pytest.raises(UnknownConfigError) as raised:
        facts_of(spec, config="fats")
    assert (raised.value.expected, raised.value.fix) == ("one of fast, slow", 'write "fast"')


def test_rule_5_a_configuration_of_a_model_without_any_is_an_error() -> None:
    with pytest.raises(UnknownConfigError) as raised:
        facts_of(make_spec(), config="fast")
    assert raised.value.fix == 'remove "inference_config"'


def test_rule_6_objects_merge_lists_replace_and_null_takes_away() -> None:
    spec = make_configured(
        ["one"],
        one=component(
            predictor_specs={"default_accept_type": "text/plain"},
            supported_inference_instance_types=[CPU],
            hosting_eula_key=None,
        ),
    )
    spec |= {"hosting_eula_key": "eula.txt", "usage_info_message": None}
    effective = build_effective(spec, "one")
    assert effective["predictor_specs"]["default_accept_type"] == "text/plain"
    assert effective["predictor_specs"]["default_content_type"] == "application/json"
    assert effective["supported_inference_instance_types"] == [CPU]
    assert effective["hosting_eula_key"] is None
    assert "usage_info_message" not in effective


def test_rule_6_components_are_laid_over_in_their_order() -> None:
    spec = make_configured(
        ["both"],
        first=component(inference_volume_size=1, hosting_eula_key="a"),
        second={"inference_volume_size": 2},
    )
    spec["inference_configs"] = {"both": {"component_names": ["first", "second"]}}
    spec["inference_config_rankings"] = {"overall": {"rankings": ["both"]}}
    effective = build_effective(spec, "both")
    assert (effective["inference_volume_size"], effective["hosting_eula_key"]) == (2, "a")


@pytest.mark.parametrize("key", sorted(NEVER_OVERRIDDEN))
def test_rule_6_what_a_component_never_overrides(key: str) -> None:
    spec = make_configured(["sly"], sly=component(**{key: "changed"}))
    assert build_effective(spec, "sly").get(key) == spec.get(key)


def test_rule_6_a_component_cannot_open_the_gate() -> None:
    spec = make_configured(["sly"], sly=component(gated_bucket=False))
    spec["gated_bucket"] = True
    data = facts_of(spec, accept_eula=True).model_data
    assert data is not None
    assert data.uri.startswith("s3://jumpstart-private-cache-prod-us-east-1/")


def test_rule_6_a_configuration_that_is_a_package_has_no_variables_of_the_base() -> None:
    arns = {"us-east-1": "arn:aws:sagemaker:us-east-1:444455556666:model-package/tiny"}
    spec = make_configured(["packed"], packed=component(hosting_model_package_arns=arns))
    assert facts_of(spec, instance=CPU).environment == {}


def test_rule_16_a_draft_model_on_top_falls_back_with_a_warning() -> None:
    drafted = component(hosting_additional_data_sources=DRAFT)
    facts = facts_of(make_configured(["quick", "plain"], quick=drafted, plain=component()))
    assert facts.config == "plain"
    why = "configuration quick needs a draft model, which CloudFormation cannot describe"
    assert facts.warnings == (f"{why}; plain, the next in rank, is used",)


def test_rule_16_a_named_draft_model_is_an_error() -> None:
    drafted = component(hosting_additional_data_sources=DRAFT)
    spec = make_configured(["quick", "plain"], quick=drafted, plain=component())
    with pytest.raises(InexpressibleConfigError) as raised:
        facts_of(spec, config="quick")
    assert raised.value.expected == "a configuration without one: plain"
    assert raised.value.fix == 'write "plain"'


def test_rule_16_draft_models_everywhere_are_an_error() -> None:
    drafted = component(hosting_additional_data_sources=DRAFT)
    with pytest.raises(InexpressibleConfigError, match="one, two"):
        facts_of(make_configured(["one", "two"], one=drafted, two=drafted))
    with pytest.raises(InexpressibleConfigError) as raised:
        facts_of(make_spec(hosting_additional_data_sources=DRAFT))
    assert raised.value.expected == "a model without one"


def test_a_configuration_brings_its_own_default_and_types() -> None:
    fast = component(default_inference_instance_type=CPU, supported_inference_instance_types=[CPU])
    facts = facts_of(make_configured(["fast"], fast=fast))
    assert (facts.instance, facts.supported_instances, facts.default_instance) == (CPU, (CPU,), CPU)
    assert facts_of(make_configured(["plain"], plain=component())).instance == GPU
