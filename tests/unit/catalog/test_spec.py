"""Specs from outside: one that is not in the form of the catalogue is an error, never a traceback."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centralized_ml_api.catalog.failures import MalformedSpecError
from centralized_ml_api.catalog.spec import SHAPE, check_spec, prune
from centralized_ml_api.errors import CatalogError
from support.jumpstart import DRAFT, component, facts_of, make_configured, make_spec

GARBAGE: list[Any] = [None, 0, -1, 1.5, True, "", "$", "x", [], [None], ["x"], {}, {"x": None}, {"x": {}}]


def rich_spec() -> dict[str, Any]:
    """A spec with something in every corner that the rules read."""
    spec = make_configured(
        ["quick", "plain"], quick=component(hosting_additional_data_sources=DRAFT), plain=component()
    )
    return spec | {
        "default_payloads": {"one": {"content_type": "application/json", "body": {"inputs": "Hi"}}},
        "deploy_kwargs": {"model_data_download_timeout": 1},
        "hosting_eula_key": "eula.txt",
        "hosting_resource_requirements": {"min_memory_mb": 1},
        "dynamic_container_deployment_supported": True,
    }


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))] if inner else [path]


@given(data=st.data())
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_any_value_anywhere_gives_facts_or_an_error_of_the_catalogue(data: st.DataObject) -> None:
    spec: Any = rich_spec()
    path = data.draw(st.sampled_from([place for place in places(spec) if place]))
    holder = spec
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(GARBAGE)))
    with suppress(CatalogError):
        assert facts_of(spec, accept_eula=True).image


@pytest.mark.parametrize("spec", [None, [], "x", {}, {"model_id": "m"}, {"version": "1"}])
def test_what_is_no_spec_at_all(spec: Any) -> None:
    with pytest.raises(MalformedSpecError):
        facts_of(spec)


def test_the_error_names_the_place() -> None:
    with pytest.raises(
        MalformedSpecError, match=r"\$\.hosting_instance_type_variants\.variants\.g5 is not an object"
    ):
        facts_of(make_spec(hosting_instance_type_variants={"variants": {"g5": "x"}}))


def test_a_pruned_spec_means_the_same() -> None:
    spec = rich_spec()
    assert facts_of(prune(spec), accept_eula=True) == facts_of(spec, accept_eula=True)
    assert set(prune(spec)) <= set(SHAPE)
    assert check_spec(prune(spec)) == prune(spec)
