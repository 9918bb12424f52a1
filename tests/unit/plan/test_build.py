"""What is decided from a config, and how it is shown."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.render import plan_json, plan_notes, render_plan
from centralized_ml_api.plan.sample import sample_of
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES, LocalModel, SleepPlan

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/a-package-1"
LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:tools:3"


def plan_of(folder: Path, config: dict[str, Any]) -> ApiPlan:
    (folder / "function").mkdir(exist_ok=True)
    (folder / "function" / "index.py").write_text("def lambda_handler(event, context): pass")
    (folder / "models.json").write_text(json.dumps(config))
    return build_plan(load_config(folder / "models.json", now=NOW))


FULL = {
    "models": [
        {
            "name": "chat",
            "model_id": "some-model",
            "model_version": "1.*",
            "instance": "ml.g5.xlarge",
            "autoscaling": {"min_capacity": 1, "max_capacity": 3, "invocations_per_instance": 5},
            "integration": {
                "type": "lambda",
                "properties": {
                    "code": "function",
                    "permissions": {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::a/*"]},
                    "timeout": 20,
                    "layers": [LAYER],
                },
            },
            "local": {"engine": "llama.cpp", "weights": "https://example.org/a.gguf", "replicas": 2},
        },
        {
            "name": "picture",
            "model_package_arn": ARN,
            "instances": ["ml.g5.2xlarge", "ml.g5.4xlarge"],
            "integration": {"type": "api", "headers": ["X-One", "X-Two"]},
        },
        {"name": "own", "image": IMAGE, "instance": "ml.m5.large", "integration": {"type": "api"}},
    ],
    "endpoints": [
        {
            "name": "adopted",
            "endpoint_name": "The-Real-One",
            "integration": {"type": "stream"},
            "local": {"engine": "url", "url": "http://gpu:8000/generate"},
        }
    ],
    "event": {"teams": ["red"], "ends": "2027-01-01T00:00:00Z"},
}


@pytest.fixture
def plan(tmp_path: Path) -> ApiPlan:
    return plan_of(tmp_path, FULL)


def test_entries_come_in_the_order_of_the_file_models_first(plan: ApiPlan) -> None:
    assert [entry.path for entry in plan.deployments] == ["/chat", "/picture", "/own", "/adopted"]


def test_an_endpoint_is_called_by_its_sagemaker_name(plan: ApiPlan) -> None:
    assert [entry.endpoint_name for entry in plan.deployments] == ["chat", "picture", "own", "The-Real-One"]


def test_a_function_is_decided_whole(plan: ApiPlan) -> None:
    function = plan.deployments[0].function
    assert function is not None
    assert function.code == plan.folders[1] / "function"
    assert (function.timeout_seconds, function.memory_mib) == (20, 128)
    assert (function.actions, function.resources) == (("s3:GetObject",), ("arn:aws:s3:::a/*",))
    assert function.layers == (LAYER,)


def test_what_is_not_acted_on_is_named(tmp_path: Path, plan: ApiPlan) -> None:
    assert plan.not_acted_on == ()
    budget = {"usd": 500, "email": "you@example.com"}
    noted = plan_of(tmp_path, {**FULL, "event": {"budget": budget}}).not_acted_on
    assert [note.partition(":")[0] for note in noted] == ["event.budget"]


def test_one_machine_says_that_it_does_not_act_on_what_a_companys_account_demands(tmp_path: Path) -> None:
    tagged, open_to_all = (
        plan_of(tmp_path, {**FULL, "aws": aws})
        for aws in ({"tags": {"a": "b"}}, {"allow_from": ["10.0.0.0/8"]})
    )
    assert tagged.not_acted_on == ("aws: only a deploy to AWS acts on it",)
    assert [note.partition(":")[0] for note in open_to_all.not_acted_on] == ["aws", "aws.allow_from"]
    assert "Not acted on here: aws: only a deploy to AWS acts on it." in plan_notes(tagged, "local")
    assert "aws:" not in "".join(plan_notes(tagged, "aws"))


def test_the_longest_answer_is_decided_and_where_nothing_keeps_it_is_named(tmp_path: Path) -> None:
    endpoint = {"name": "far", "integration": {"type": "api"}, "max_output_tokens": 700}
    llama = {"engine": "llama.cpp", "weights": "hf://owner/repo/a.gguf"}
    away = {"engine": "url", "url": "http://gpu:8000/generate"}
    kept, passed = (
        plan_of(tmp_path, {"models": [], "endpoints": [{**endpoint, "local": local}]})
        for local in (llama, away)
    )
    assert kept.deployments[0].max_output_tokens == 700
    assert kept.not_acted_on == ()
    assert passed.not_acted_on == ("max_output_tokens of far: the engine url gets each request as it is",)
    (note,) = kept.not_acted_on_aws
    assert (
        note
        == "On AWS, max_output_tokens of far applies under /v1 only: a request to /far is passed on as it is."
    )


def test_an_alias_that_leads_nowhere_here_is_named(tmp_path: Path) -> None:
    endpoint = {"name": "far", "integration": {"type": "api"}, "speaks": "openai-chat"}
    away = {"engine": "url", "url": "http://gpu:8000/generate"}
    event = {"aliases": {"gpt-4o": "far"}}
    served, elsewhere = (
        plan_of(tmp_path, {"models": [], "endpoints": [{**endpoint, "local": local}], "event": event})
        for local in ({**away, "speaks": "openai-chat"}, away)
    )
    assert (served.not_acted_on, served.event.aliases) == ((), {"gpt-4o": "far"})
    assert elsewhere.not_acted_on == ("event.aliases: gpt-4o leads nowhere, since far is not under /v1 here",)


def test_the_same_config_gives_the_same_plan(tmp_path: Path, plan: ApiPlan) -> None:
    assert plan_of(tmp_path, FULL) == plan


def test_as_a_table_for_one_machine(plan: ApiPlan) -> None:
    lines = render_plan(plan, "local").splitlines()
    assert lines[0].split() == ["PATH", "MODEL", "SERVED", "BY", "INTEGRATION", "HEADERS"]
    assert lines[1].startswith("/chat")
    assert "llama.cpp: a.gguf, 2048 tokens x2" in lines[1]
    assert "nothing (501)" in lines[2]
    assert "X-One, X-Two" in lines[2]
    assert "url: http://gpu:8000/generate" in lines[4]
    assert any(line.startswith("Every call needs the key of a team") for line in lines)


def test_as_json_it_has_every_decision(plan: ApiPlan) -> None:
    value = json.loads(json.dumps(plan_json(plan, "local")))
    chat = value["entries"][0]
    assert chat["path"] == "/chat"
    assert chat["autoscaling"] == {
        "min_capacity": 1,
        "max_capacity": 3,
        "invocations_per_instance": 5,
        "resources": None,
    }
    assert chat["local"]["serving"]["engine"] == "llama.cpp"


def test_a_chat_model_has_a_sample_even_when_none_is_written(tmp_path: Path) -> None:
    local = {"engine": "llama.cpp", "weights": "https://example.org/a.gguf"}
    entry = {
        "name": "a",
        "model_id": "m",
        "instance": "ml.g5.xlarge",
        "integration": {"type": "api"},
        "local": local,
    }
    plan = plan_of(tmp_path, {"models": [entry, {**entry, "name": "b", "sample": {"x": 1}}]})
    assert sample_of(plan.deployments[0])["messages"]
    assert sample_of(plan.deployments[1]) == {"x": 1}


def test_without_a_sample_there_is_none(plan: ApiPlan) -> None:
    assert sample_of(plan.deployments[0]) is None


def test_a_plan_is_decided_without_looking_at_the_disk(tmp_path: Path, plan: ApiPlan) -> None:
    loaded = load_config(tmp_path / "models.json", now=NOW)
    shutil.rmtree(tmp_path / "function")
    assert build_plan(loaded) == plan


def test_an_entry_may_have_a_description(tmp_path: Path) -> None:
    own = {"image": IMAGE, "instance": "ml.m5.large", "integration": {"type": "api"}}
    models = [{**own, "name": "said", "description": "It draws."}, {**own, "name": "unsaid"}]
    plan = plan_of(tmp_path, {"models": models})
    assert [entry.description for entry in plan.deployments] == ["It draws.", ""]


def test_an_entry_with_local_alone_is_a_model_of_this_machine(tmp_path: Path) -> None:
    local = {"engine": "llama.cpp", "weights": "https://example.org/a.gguf"}
    entry = {"name": "here", "integration": {"type": "api"}, "local": local}
    (deployment,) = plan_of(tmp_path, {"models": [entry]}).deployments
    assert deployment.origin == LocalModel()


def test_a_body_may_have_the_6_mebibytes_that_sagemaker_takes() -> None:
    assert BODY_LIMIT_BYTES == 6_291_456


def test_one_server_is_not_said_to_be_one(tmp_path: Path) -> None:
    local = {"engine": "llama.cpp", "weights": "https://example.org/a.gguf"}
    entry = {"name": "here", "integration": {"type": "api"}, "local": local}
    assert " x1" not in render_plan(plan_of(tmp_path, {"models": [entry]}), "local")


def test_a_body_that_aws_does_not_take_is_told(tmp_path: Path) -> None:
    for mebibytes, notes in ((6, 0), (7, 1)):
        models: list[dict[str, Any]] = [dict(entry) for entry in FULL["models"]]  # type: ignore[arg-type]
        models[0]["max_body_mib"] = mebibytes
        config = {**FULL, "models": models}
        told = [note for note in plan_of(tmp_path, config).not_acted_on_aws if "max_body_mib" in note]
        assert len(told) == notes
        assert all("a larger body is a 413" in note for note in told)


@pytest.mark.parametrize(
    ("written", "plan", "shown"),
    [
        ({}, None, ""),
        ({"starts": "at-once"}, None, ""),
        ({"idle": "10m"}, SleepPlan(idle_seconds=600), " (sleeps after 10m)"),
        ({"starts": "on-call"}, SleepPlan(on_call=True), " (starts on call)"),
        (
            {"idle": "90s", "starts": "on-call", "shares": "gpu"},
            SleepPlan(90, on_call=True, shares="gpu"),
            " (starts on call, sleeps after 90s, shares gpu)",
        ),
    ],
)
def test_when_an_entry_sleeps_is_decided_and_shown(
    written: dict[str, str], plan: SleepPlan | None, shown: str, tmp_path: Path
) -> None:
    local = {"engine": "command", "run": ["serve", "{port}"], **written}
    decided = plan_of(
        tmp_path, {"endpoints": [{"name": "a", "integration": {"type": "api"}, "local": local}]}
    )
    assert decided.deployments[0].sleep == plan
    row = next(line for line in render_plan(decided, "local").splitlines() if line.startswith("/a"))
    assert f"command: serve {{port}}{shown}  " in row
