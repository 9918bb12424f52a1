from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.catalog.facts import ModelData
from centralized_ml_api.plan.aws.roles import MODEL_PACKAGE, read_location, read_repository
from centralized_ml_api.plan.aws.types import (
    AdoptedEndpoint,
    ArtifactLocation,
    ContainerPlan,
    OwnEndpoint,
    OwnSecret,
    Repository,
    StreamRoute,
)
from centralized_ml_api.plan.provider import KeyPlace
from support.synthesis import PACKAGE, build_facts, build_test_plan, container, function, model, package

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/a/b:1", ("763104351884", "us-east-1", "a/b")),
        ("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/a:1", ("727897471807", "cn-north-1", "a")),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/a@sha256:0", ("123456789012", "us-east-1", "a")),
        ("ghcr.io/me/mine:1", None),
    ],
)
def test_the_repository_of_an_image(image: str, found: tuple[str, str, str] | None) -> None:
    assert read_repository(image) == (Repository(*found) if found else None)


def test_the_parts_of_an_address_in_s3() -> None:
    assert read_location("s3://bucket/a/b/") == ArtifactLocation("bucket", "a/b/")


def test_a_function_of_an_existing_endpoint_calls_that(tmp_path: Path) -> None:
    adopted = {"name": "old", "endpoint_name": "Old", "integration": function()}
    plan = build_test_plan({"models": [], "endpoints": [adopted]}, tmp_path)
    assert plan.functions[0].endpoint == AdoptedEndpoint("Old")
    assert plan.models == ()


def test_a_function_of_a_model_calls_its_own(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [model(integration=function())]}, tmp_path)
    assert plan.functions[0].endpoint == OwnEndpoint("a-model")


def test_a_stream_goes_to_its_model(tmp_path: Path) -> None:
    written = {"type": "stream", "headers": ["X-Caller"]}
    plan = build_test_plan({"models": [package(integration=written)]}, tmp_path)
    assert plan.routes == (StreamRoute("a-package", OwnEndpoint("a-package"), ("X-Caller",)),)
    assert [model.name for model in plan.models] == ["a-package"]


def test_the_source_of_the_facts_is_told(tmp_path: Path) -> None:
    facts = build_facts(source="snapshot", fidelity="partial")
    plan = build_test_plan({"models": [model()]}, tmp_path, facts)
    (note,) = [note for note in plan.notes if note.startswith("JumpStart")]
    assert "a-model (huggingface-textgeneration-tiny 1.0.0) from the snapshot" in note
    assert "SageMaker's defaults apply" in note


@pytest.mark.parametrize(
    ("event", "rate", "burst"),
    [
        (None, 100, 200),
        ({"requests_per_second": 2.5}, 2.5, 5),
        ({"requests_per_second": 4, "burst": 3 + 1}, 4, 4),
    ],
)
def test_the_api_is_throttled_always(
    tmp_path: Path, event: dict[str, Any] | None, rate: float, burst: int
) -> None:
    config = {"models": [container()], **({"event": event} if event else {})}
    throttle = build_test_plan(config, tmp_path).throttle
    assert (throttle.requests_per_second, throttle.burst) == (rate, burst)


def test_a_rate_that_is_kept_is_not_called_unkept(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [container()], "event": {"requests_per_second": 2}}, tmp_path)
    assert not [note for note in plan.notes if "throttled" in note]


def test_a_limit_that_aws_does_not_keep_is_told(tmp_path: Path) -> None:
    event = {"teams": ["red"], "requests_at_once": 4}
    plan = build_test_plan({"models": [container()], "event": event}, tmp_path)
    assert [note for note in plan.notes if note.startswith("Not enforced on AWS: requests_at_once.")]


def test_rates_of_teams_are_not_the_apis(tmp_path: Path) -> None:
    event = {"requests_per_second": 2, "teams": ["red"]}
    plan = build_test_plan({"models": [container()], "event": event}, tmp_path)
    assert plan.throttle.requests_per_second == 100
    assert plan.notes[0].startswith("Every call needs the key of a team; there is 1 team.")


def test_direct_paths_and_functions_have_policies_of_their_own(tmp_path: Path) -> None:
    models = [
        model("direct"), model("through", integration=function()), package(integration={"type": "stream"})
    ]  # fmt: skip
    plan = build_test_plan({"models": models}, tmp_path)
    assert (plan.endpoint_policies, plan.function_policies) == ((("direct",),), (("through",),))


def test_an_event_with_a_budget_has_its_dashboard(tmp_path: Path) -> None:
    event = {"budget": {"usd": 100, "email": "you@example.com"}}
    plan = build_test_plan({"models": [model("through", integration=function())], "event": event}, tmp_path)
    assert plan.dashboard
    assert plan.dashboard.email == "you@example.com"
    assert plan.dashboard.endpoints == plan.dashboard.functions == ("through",)


def test_a_function_is_in_the_nested_stack_of_its_model(tmp_path: Path) -> None:
    models = [package(f"m-{number}", integration=function()) for number in range(90)]
    plan = build_test_plan({"models": models}, tmp_path)
    groups = [made.group for made in plan.models]
    assert [made.group for made in plan.functions] == groups
    assert None in groups
    assert set(plan.groups) == set(groups) - {None}
    assert plan.groups


@pytest.mark.parametrize(
    ("entry", "count", "timeout_seconds"),
    [
        ({}, 1, None),
        ({"autoscaling": {"min_capacity": 2, "max_capacity": 3, "invocations_per_instance": 5}}, 2, None),
        ({"instance": None, "instances": ["ml.g5.2xlarge", "ml.g5.4xlarge"]}, 1, 3600),
    ],
)
def test_a_model_starts_with_the_fewest_and_looks_long_only_where_it_may_choose(
    entry: dict[str, Any], count: int, timeout_seconds: int | None, tmp_path: Path
) -> None:
    (made,) = build_test_plan({"models": [package(**entry)]}, tmp_path).models
    assert (made.initial_count, made.provision_timeout_seconds) == (count, timeout_seconds)


def test_a_jumpstart_model_may_be_a_package_which_brings_its_own_artifacts(tmp_path: Path) -> None:
    facts = build_facts(model_package_arn=PACKAGE)
    (made,) = build_test_plan({"models": [model()]}, tmp_path, facts).models
    environment = {"SM_NUM_GPUS": "1"}
    assert made.container == ContainerPlan(None, PACKAGE, None, accept_eula=False, environment=environment)
    assert (made.role, made.network_isolation) == (MODEL_PACKAGE, True)


@pytest.mark.parametrize(
    ("uri", "data"),
    [
        ("s3://mine/folder/", ModelData("s3://mine/folder/", "S3Prefix", "None")),
        ("s3://mine/a.tar.gz", ModelData("s3://mine/a.tar.gz", None, None)),
    ],
)
def test_a_folder_is_used_as_it_is_and_a_file_is_an_archive(
    uri: str, data: ModelData, tmp_path: Path
) -> None:
    (made,) = build_test_plan({"models": [container(model_data=uri)]}, tmp_path).models
    assert made.container.data == data


def test_a_function_may_invoke_just_the_endpoints_that_its_permissions_name(tmp_path: Path) -> None:
    endpoint, objects = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/other", "arn:aws:s3:::mine/*"
    actions = ["sagemaker:InvokeEndpoint", "s3:GetObject"]
    permissions = {"actions": actions, "resources": [endpoint, objects]}
    plan = build_test_plan({"models": [model(integration=function(permissions=permissions))]}, tmp_path)
    (made,) = plan.functions
    assert (made.invoke_actions, made.invoke_resources) == (("sagemaker:InvokeEndpoint",), (endpoint,))
    assert (made.other_actions, made.other_resources) == (("s3:GetObject",), (endpoint, objects))


@pytest.mark.parametrize(("event", "names"), [({}, True), ({"teams": ["red"]}, False)])
def test_health_names_the_models_only_where_all_may_call_all(
    event: dict[str, Any], tmp_path: Path, *, names: bool
) -> None:
    assert build_test_plan({"models": [model()], "event": event}, tmp_path).stream.health_names is names


@pytest.mark.parametrize(("ending", "lists"), [("/", 2), (".tar.gz", 1)])
def test_a_folder_takes_its_place_in_a_policy_twice_to_read_and_to_list(
    ending: str, lists: int, tmp_path: Path
) -> None:
    uris = [f"s3://mine/{number}{'k' * 999}{ending}" for number in range(3)]
    models = [container(f"m-{number}", model_data=uri) for number, uri in enumerate(uris)]
    (role,) = build_test_plan({"models": models}, tmp_path).roles
    assert len(role.locations) == lists


def test_a_package_has_its_own_terms_and_no_eula_to_accept(tmp_path: Path) -> None:
    written = package(environment={"A": "b"})
    (made,) = build_test_plan({"models": [written]}, tmp_path).models
    assert made.container == ContainerPlan(None, PACKAGE, None, accept_eula=False, environment={"A": "b"})


@pytest.mark.parametrize(
    ("repository", "written", "told"),
    [
        ("djl-inference", {}, {"MODEL_SPEAKS": "text-generation-inference"}),
        ("djl-inference", {"speaks": "openai-chat"}, {"MODEL_SPEAKS": "openai-chat"}),
        ("mine", {}, {}),
        ("djl-inference", {"speaks": "openai-speech"}, {}),
    ],
)
def test_a_function_is_told_what_a_known_container_speaks_unless_the_config_says_it(
    repository: str, written: dict[str, str], told: dict[str, str], tmp_path: Path
) -> None:
    image = f"763104351884.dkr.ecr.us-east-1.amazonaws.com/{repository}:1"
    entry = container(image=image, integration=function(), **written)
    assert build_test_plan({"models": [entry]}, tmp_path).functions[0].environment == told


def test_a_model_of_a_provider_is_called_by_the_function_that_streams(tmp_path: Path) -> None:
    hosted = {
        "name": "gpt",
        "provider": {"name": "openai", "model": "gpt-5-mini", "key": {"env": "OPENAI_API_KEY"}},
        "integration": {"type": "api"},
    }
    event = {"teams": [{"name": "red", "models": ["gpt"]}]}
    plan = build_test_plan({"models": [package()], "endpoints": [hosted], "event": event}, tmp_path)
    assert [entry.name for entry in plan.api.deployments] == ["a-package", "gpt"]
    assert plan.routes[1] == StreamRoute("gpt", None, ())
    assert plan.openai.paths_of("gpt") == ("/v1/chat/completions", "/v1/responses", "/v1/messages")
    assert [model.name for model in plan.models] == ["a-package"]
    assert (plan.stream.policies, plan.stream.described) == ((), (("a-package",),))
    assert plan.stream.streams
    (secret,) = plan.stream.secrets
    assert secret == OwnSecret("Enve06d9398", KeyPlace("env", "OPENAI_API_KEY"))
