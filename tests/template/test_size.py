"""Many models: every stack stays under every limit, and what is there stays where it is.

Source of the limits: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
and https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from centralized_ml_api.aws.planning import template_amounts as amounts
from centralized_ml_api.aws.planning.limits import find_exceeded, read_templates
from support.linting import lint_documents
from support.synthesis import (
    REGION,
    STACK,
    Config,
    build_test_plan,
    function,
    package,
    read_template,
    synthesize,
)

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.aws.types import AwsPlan
    from support.synthesis import Template

SCALING = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}
KINDS: dict[str, Config] = {
    "unscaled": {},
    "scaled": {"autoscaling": SCALING},
    "functions": {"autoscaling": SCALING, "integration": function()},
    "chats": {"autoscaling": SCALING, "speaks": "openai-chat"},
    "streamed": {"autoscaling": SCALING, "speaks": "openai-chat", "integration": {"type": "stream"}},
}
LONG = "a-name-that-is-as-long-as-names-may-be-which-is-long-enough-"


def many(count: int, kind: str, prefix: str = "model-") -> list[Config]:
    return [package(f"{prefix}{number}", **KINDS[kind]) for number in range(count)]


class Synthesize(Protocol):
    """The fixture `synthesized`: the plan of so many models of a kind, and the folder of its templates."""

    def __call__(self, count: int, kind: str, *, event: bool = False) -> tuple[AwsPlan, Path]: ...


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Each is synthesized once, however many tests look at it."""
    known: dict[tuple[int, str, bool], tuple[AwsPlan, Path]] = {}

    def build(count: int, kind: str, *, event: bool = False) -> tuple[AwsPlan, Path]:
        key = (count, kind, event)
        if key not in known:
            folder = tmp_path_factory.mktemp(kind)
            config = {"models": many(count, kind), **({"event": build_event(count)} if event else {})}
            plan = build_test_plan(config, folder)
            synthesize(plan, folder / "out")
            known[key] = plan, folder / "out"
        return known[key]

    return build


@pytest.fixture(scope="module", params=KINDS)
def large(request: pytest.FixtureRequest, synthesized: Synthesize) -> tuple[str, Path]:
    _, output = synthesized(150, request.param)
    return request.param, output


def files(output: Path) -> list[Path]:
    """The templates that were written; at least the main stack's."""
    found = list(output.glob("*.template.json"))
    assert found
    return found


def documents(template: Template) -> list[dict[str, Any]]:
    return [template.document, *template.nested.values()]


@pytest.mark.slow
def test_150_models_stay_under_every_limit(large: tuple[str, Path]) -> None:
    _, output = large
    for file in files(output):
        assert file.stat().st_size < 1_000_000, file.name
    for document in documents(read_template(output, STACK)):
        assert len(document["Resources"]) <= 500
        assert len(document.get("Outputs", {})) <= 200
        assert len(document.get("Parameters", {})) <= 200
        assert len(document.get("Mappings", {}).values()) <= 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "amounts_over"),
    [(200, {}), (300, {"bytes of a template": 1_300_000, "resources of an API": 300})],
    ids=["200", "300"],
)
def test_200_models_fit_and_of_300_the_limits_are_named(
    synthesized: Synthesize, count: int, amounts_over: dict[str, int]
) -> None:
    _, output = synthesized(count, "chats")
    exceeded = find_exceeded(read_templates(output))
    assert {each.limit.name for each in exceeded} == set(amounts_over)
    assert all(each.amount > amounts_over[each.limit.name] for each in exceeded)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "kind", "event"),
    [
        (60, "unscaled", False),
        (60, "chats", True),
        (150, "chats", True),
        (200, "functions", False),
        (300, "chats", False),
        (285, "streamed", False),
    ],
)
def test_the_estimate_is_within_a_tenth_of_every_template(
    count: int, kind: str, synthesized: Synthesize, *, event: bool
) -> None:
    plan, output = synthesized(count, kind, event=event)
    template = read_template(output, STACK)
    assert_close(plan.sizes[None].characters, characters_of(template.document))
    nested = sorted(characters_of(document) for document in template.nested.values())
    estimated = sorted(size.characters for group, size in plan.sizes.items() if group)
    assert len(nested) == len(estimated)
    for estimate, actual in zip(estimated, nested, strict=True):
        assert_close(estimate, actual)
    assert 0 <= plan.sizes[None].resources - len(template.resources) <= 6


def characters_of(document: dict[str, Any]) -> int:
    ((_, characters),) = amounts.characters(document)
    return characters


def assert_close(estimate: int, actual: int) -> None:
    """A stack is filled to 1,000,000 estimated characters of the 1,048,576 that it may have."""
    assert 0.97 * actual <= estimate <= 1.1 * actual


@pytest.mark.slow
def test_150_models_are_all_there(large: tuple[str, Path]) -> None:
    kind, output = large
    template = read_template(output, STACK)
    assert len(template.of_type("AWS::SageMaker::Endpoint")) == 150
    assert len(template.of_type("AWS::ApplicationAutoScaling::ScalingPolicy")) == (
        0 if kind == "unscaled" else 150
    )
    functions = 151 if kind == "functions" else 1  # the one that streams and tells of health
    assert len(template.of_type("AWS::Lambda::Function")) == functions
    assert len([path for path in template.api["paths"] if path.startswith("/model-")]) == 150
    assert bool(template.nested) is (kind != "unscaled")


@pytest.mark.slow
def test_150_models_of_every_kind_are_clean(tmp_path: Path) -> None:
    """Of the nested stacks, which have one form, the first and the last are looked at."""
    kinds = [KINDS[kind] for _, kind in zip(range(150), itertools.cycle(KINDS), strict=False)]
    models = [package(f"model-{number}", **kind) for number, kind in enumerate(kinds)]
    template = synthesize(build_test_plan({"models": models}, tmp_path), tmp_path / "out")
    nested = list(template.nested.values())
    assert len(nested) > 2
    assert lint_documents([template.document, nested[0], nested[-1]], REGION) == []


@pytest.mark.slow
def test_every_policy_of_150_models_fits_its_limit(large: tuple[str, Path]) -> None:
    """6,144 characters, with the longest ARN where only CloudFormation knows it."""
    longest = "arn:aws:sagemaker:ap-southeast-1:123456789012:endpoint/" + 63 * "x"
    policies = read_template(large[1], STACK).of_type("AWS::IAM::ManagedPolicy")
    assert policies
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [""]
            assert len(resources) * (len(longest) + 3) + 400 < 6144


@pytest.mark.slow
def test_texts_kept_once_are_the_same_texts(large: tuple[str, Path], tmp_path: Path) -> None:
    kind, output = large
    template = read_template(output, STACK)
    alone = synthesize(build_test_plan({"models": many(1, kind)}, tmp_path), tmp_path / "out")
    shared = restored(template.api["paths"]["/model-0"], template.document.get("Mappings", {}))
    written = templates_in(alone.api["paths"]["/model-0"])
    assert written
    assert templates_in(shared) == written


def restored(value: Any, mappings: dict[str, Any]) -> Any:
    """As CloudFormation does with `Fn::FindInMap`."""
    if isinstance(value, list):
        return [restored(item, mappings) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::FindInMap" in value:
        name, key, second = value["Fn::FindInMap"]
        return mappings[name][key][second]
    return {key: restored(inner, mappings) for key, inner in value.items()}


def templates_in(value: Any) -> list[str]:
    """Every text in a language of API Gateway, in order."""
    if not isinstance(value, dict):
        return []
    return [
        text
        for key in sorted(value)
        for text in (
            [json.dumps(value[key])]
            if key in {"responseTemplates", "requestTemplates"}
            else templates_in(value[key])
        )
    ]


def build_event(count: int) -> Config:
    """An event with all that there is, for so many models."""
    listed = {"models": [f"model-{number}" for number in range(max(1, count - 10))]}
    return {
        "teams": [
            {"name": f"team-{number}", "requests_per_day": 100, **(listed if number < 2 else {})}
            for number in range(20)
        ],
        "requests_per_second": 2,
        "ends": "2030-06-01T18:00:00Z",
        "budget": {"usd": 500, "email": "you@example.com"},
    }


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 150])
def test_150_models_with_20_teams_fit_too(synthesized: Synthesize, count: int) -> None:
    _, output = synthesized(count, "chats", event=True)
    for file in files(output):
        assert file.stat().st_size < 1_000_000, file.name
    for document in documents(read_template(output, STACK)):
        assert len(document["Resources"]) <= 500


@pytest.mark.slow
def test_the_longest_names_fit_too(tmp_path: Path) -> None:
    plan = build_test_plan({"models": many(150, "unscaled", LONG)}, tmp_path)
    synthesize(plan, tmp_path / "out")
    for file in files(tmp_path / "out"):
        assert file.stat().st_size < 1_000_000, file.name


@pytest.mark.slow
def test_a_model_added_at_the_end_moves_no_other(synthesized: Synthesize) -> None:
    before, after = (read_template(synthesized(count, "scaled")[1], STACK) for count in (150, 151))
    kept = 0
    for old, new in zip(documents(before), documents(after), strict=True):
        endpoints = [
            key
            for key, resource in old["Resources"].items()
            if resource["Type"] == "AWS::SageMaker::Endpoint"
        ]
        assert set(endpoints) <= set(new["Resources"])
        kept += len(endpoints)
    assert kept == 150
