"""What each part takes of a stack: as many resources as it really is, and its name wherever that stands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.openai import CHAT_PATH, MODEL_PATH, MODELS_PATH
from centralized_ml_api.aws.document.own_paths import build_openai_paths
from centralized_ml_api.plan.aws.nested_stacks import TemplateSize
from centralized_ml_api.plan.aws.streaming import build_stream
from centralized_ml_api.plan.aws.template_size import entry_sizes, fixed_size
from centralized_ml_api.plan.aws.types import (
    AdoptedEndpoint,
    ExecutionRolePlan,
    FunctionRoute,
    Repository,
    StreamModel,
)
from centralized_ml_api.plan.speaks import openai_models
from support.synthesis import build_test_plan, function, package

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.aws.types import AwsPlan, ContainerPlan, StreamPlan

SCALING = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}
PATHS = {
    "paths": {
        CHAT_PATH: {"post": {"operationId": "chat"}},
        MODELS_PATH: {"get": {"operationId": "models"}},
        MODEL_PATH: {"get": {"operationId": "model"}},
    }
}
NO_STREAM = build_stream([])


def size_of(plan: AwsPlan) -> TemplateSize:
    """What the entry of a plan takes."""
    (size,) = entry_sizes(plan.routes, plan.models, plan.functions).values()
    return size


def fixed(plan: AwsPlan, stream: StreamPlan = NO_STREAM) -> TemplateSize:
    """What the main stack holds, without roles and policies."""
    return fixed_size(plan.routes, [], 0, stream)


@pytest.mark.parametrize(
    ("entry", "resources"),
    [
        ({}, 3),
        ({"autoscaling": SCALING}, 5),
        ({"integration": function()}, 7),
        ({"autoscaling": SCALING, "integration": function()}, 9),
    ],
)
def test_an_entry_is_an_endpoint_its_scaling_and_its_function(
    entry: dict[str, Any], resources: int, tmp_path: Path
) -> None:
    plan = build_test_plan({"models": [package(**entry)]}, tmp_path)
    assert size_of(plan).resources == resources


def test_where_the_event_ends_an_endpoint_takes_the_schedule_that_deletes_it(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package()]}, tmp_path)
    (ending,) = entry_sizes(plan.routes, plan.models, plan.functions, ends=True).values()
    added = ending - size_of(plan)
    assert added.resources == 1
    assert added.characters == 750


@pytest.mark.parametrize(("entry", "times"), [({}, 8), ({"integration": function()}, 16)])
def test_a_longer_name_takes_more_wherever_it_stands(
    entry: dict[str, Any], times: int, tmp_path: Path
) -> None:
    short, long = (
        build_test_plan({"models": [package(name, **entry)]}, tmp_path) for name in ("name", "a-longer-name")
    )
    longer = len("a-longer-name") - len("name")
    assert size_of(long) - size_of(short) == TemplateSize(characters=times * longer)
    assert fixed(long) - fixed(short) == TemplateSize(characters=4 * longer)


def test_the_variables_of_a_container_take_room_with_their_names(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package()]}, tmp_path)
    (model,) = plan.models
    container: ContainerPlan = replace(model.container, environment={"NAME": "value"})
    named = entry_sizes(plan.routes, [replace(model, container=container)], [])["a-package"]
    assert named - size_of(plan) == TemplateSize(characters=len("NAME") + len("value") + 8)


def test_an_api_without_entries_is_eleven_resources_and_the_function_that_streams_four() -> None:
    assert fixed_size([], [], 0, NO_STREAM).resources == 11 + 4


def test_a_policy_is_a_resource_and_so_are_a_role_and_each_policy_of_it() -> None:
    empty = fixed_size([], [], 0, NO_STREAM)
    repositories = ((Repository("123456789012", "us-east-1", "mine"),),)
    role = ExecutionRolePlan("Mine", repositories, ())
    assert (fixed_size([], [], 2, NO_STREAM) - empty).resources == 2
    assert (fixed_size([], [role], 0, NO_STREAM) - empty).resources == 2


def test_the_function_that_streams_has_policies_for_what_it_calls_and_for_what_it_describes(
    tmp_path: Path,
) -> None:
    empty = fixed_size([], [], 0, NO_STREAM)
    streamed = package("streamed", integration={"type": "stream"})
    both = build_test_plan({"models": [streamed, package("direct")]}, tmp_path).stream
    assert (fixed_size([], [], 0, both) - empty).resources == 2
    in_parameters = replace(both, tables=(("streamed",), ("direct",)))
    assert (fixed_size([], [], 0, in_parameters) - empty).resources == 4
    more = fixed_size([], [], 0, replace(both, models=(*both.models, both.models[1])))
    assert (more - fixed_size([], [], 0, both)).characters == 150 + 2 * len("direct"), "described, not called"


def test_a_path_that_calls_its_endpoint_takes_more_than_one_with_a_function(tmp_path: Path) -> None:
    direct = build_test_plan({"models": [package("name")]}, tmp_path)
    through = fixed_size([FunctionRoute("name")], [], 0, NO_STREAM)
    assert fixed(direct).characters > through.characters > fixed_size([], [], 0, NO_STREAM).characters


@pytest.mark.parametrize("more", [{"autoscaling": SCALING}, {"integration": function()}])
def test_scaling_and_functions_are_text_too(more: dict[str, Any], tmp_path: Path) -> None:
    plain, extended = (build_test_plan({"models": [package("a", **entry)]}, tmp_path) for entry in ({}, more))
    assert (size_of(extended) - size_of(plain)).characters > 500


def test_the_api_itself_is_mostly_text(tmp_path: Path) -> None:
    empty = fixed_size([], [], 0, NO_STREAM)
    assert empty.characters > 35_000
    streamed = package("streamed", integration={"type": "stream"})
    one = build_test_plan({"models": [streamed]}, tmp_path).stream
    two = replace(one, models=2 * one.models, policies=(2 * one.policies[0],))
    assert (fixed_size([], [], 0, two) - fixed_size([], [], 0, one)).characters == 150 + 2 * len("streamed")
    table = fixed_size([], [], 0, replace(one, tables=(("streamed",),)))
    assert (table - fixed_size([], [], 0, one)).characters == 300


def test_a_model_is_text_besides_its_name_and_variables(tmp_path: Path) -> None:
    assert size_of(build_test_plan({"models": [package("a")]}, tmp_path)).characters > 900


@pytest.mark.parametrize(
    "aliases", [{"a" * 128: "e0"}, {f"org/{n}:{'x' * 20}": f"e{n % 4}" for n in range(20)}]
)
def test_aliases_take_what_the_listing_of_models_says_of_them(aliases: dict[str, str]) -> None:
    names = [f"e{number}" for number in range(4)]
    openai = openai_models([(name, "openai-chat") for name in names], aliases)
    streams = (
        build_stream(
            StreamModel(name, AdoptedEndpoint(name), "openai-chat", None, aliases=known.aliases_of(name))
            for name in names
        )
        for known in (openai, openai_models([]))
    )
    estimated = [fixed_size([], [], 0, stream).characters for stream in streams]
    written = [
        len(json.dumps(json.dumps(build_openai_paths(PATHS, models, {}))))
        for models in (openai, openai_models((name, "openai-chat") for name in names))
    ]
    row = len(json.dumps([*aliases]))
    really = written[0] - written[1] + row
    assert 0.9 * really < estimated[0] - estimated[1] < 1.1 * really
