"""Rules 7 and 8: which instance type, of which family."""

from __future__ import annotations

import pytest

from centralized_ml_api.catalog.failures import MalformedSpecError, UnavailableError, UnsupportedInstanceError
from support.jumpstart import CPU, GPU, facts_of, make_spec


def test_rule_7_the_default_is_the_publishers() -> None:
    assert facts_of(make_spec()).instance == GPU
    assert facts_of(make_spec(), instance=CPU).instance == CPU


def test_rule_7_no_type_and_no_default_is_the_specs_fault() -> None:
    with pytest.raises(MalformedSpecError, match="names no default instance type"):
        facts_of(make_spec(default_inference_instance_type=None))


def test_rule_7_an_unsupported_type_names_those_supported_and_the_nearest() -> None:
    with pytest.raises(UnsupportedInstanceError) as raised:
        facts_of(make_spec(), instance="ml.g5.2xlrage")
    assert (
        raised.value.expected == "ml.g5.2xlarge, ml.g5.12xlarge, ml.g5.48xlarge, ml.m5.xlarge, ml.inf2.xlarge"
    )
    assert raised.value.fix == 'write "ml.g5.2xlarge"'


def test_rule_7_a_type_without_its_ml_is_suggested_with_it() -> None:
    with pytest.raises(UnsupportedInstanceError) as raised:
        facts_of(make_spec(), instance="g5.2xlarge")
    assert raised.value.fix == 'write "ml.g5.2xlarge"'


def test_rule_7_a_type_unlike_all_others_is_answered_with_the_default() -> None:
    with pytest.raises(UnsupportedInstanceError) as raised:
        facts_of(make_spec(), instance="ml.zz9.plural")
    assert raised.value.fix == f'write "{GPU}"'


def test_rule_7_the_check_can_be_turned_off() -> None:
    assert facts_of(make_spec(), instance="ml.g5.4xlarge", instance_check=False).instance == "ml.g5.4xlarge"
    with pytest.raises(UnavailableError, match=r"no container image for g5\.4xlarge"):
        facts_of(make_spec(), instance="g5.4xlarge", instance_check=False)
