"""Rules 13 and 14: the container's environment, and specs that nobody changes."""

from __future__ import annotations

import copy
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.jumpstart import CPU, GPU, NEURON, component, facts_of, make_configured, make_spec

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
