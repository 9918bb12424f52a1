"""Providers' keys go into the stack's secrets by calls of their own."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.stack.deployed_stack import StackResource
from centralized_ml_api.aws.stack.provider_keys import SECRET, find_empty_secrets, put_provider_keys
from centralized_ml_api.cli.verbs.deploy import take_provider_keys
from centralized_ml_api.errors import DeployError, StartError
from support.aws_wire import Answer, refusal
from support.synthesis import build_test_plan

if TYPE_CHECKING:
    from pathlib import Path

    from support.aws_wire import AwsWire

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ApiSecrets-AbCdEf"
OUTPUTS = {"ProviderSecrets": json.dumps({"Env1": ARN, "Env2": f"{ARN}2"})}
PUT = "secretsmanager.PutSecretValue"


def test_each_key_is_put_into_its_secret(aws: AwsWire) -> None:
    put: list[tuple[str, str]] = []

    def answer(body: str) -> Answer:
        said = json.loads(body)
        put.append((said["SecretId"], said["SecretString"]))
        return Answer(200, {"ARN": said["SecretId"]})

    aws.spoken[PUT] = answer
    put_provider_keys(AwsClients("us-east-1"), OUTPUTS, {"Env1": "sk-one", "Env2": "sk-two"})
    assert put == [(ARN, "sk-one"), (f"{ARN}2", "sk-two")]


def test_without_keys_nothing_is_called(aws: AwsWire) -> None:
    put_provider_keys(AwsClients("us-east-1"), {}, {})
    assert aws.asked == []


def test_a_refusal_says_what_is_missing_but_no_key(aws: AwsWire) -> None:
    aws.answers[PUT] = refusal("AccessDeniedException", "User: me is not authorized to perform it")
    with pytest.raises(DeployError) as caught:
        put_provider_keys(AwsClients("us-east-1"), OUTPUTS, {"Env1": "sk-one"})
    assert "a provider's key cannot be put into AWS Secrets Manager" in caught.value.message
    assert "sk-one" not in caught.value.message + caught.value.fix


DESCRIBE = "secretsmanager.DescribeSecret"


def test_secrets_without_a_key_are_found(aws: AwsWire) -> None:
    described = {"one": {"VersionIdsToStages": {"v": ["AWSCURRENT"]}}, "two": {}}
    aws.spoken[DESCRIBE] = lambda body: Answer(
        200, {"Name": json.loads(body)["SecretId"], **described[json.loads(body)["SecretId"]]}
    )
    secrets = [StackResource(SECRET, name.title(), name) for name in described]
    other = StackResource("AWS::IAM::Role", "Role", "role")
    assert find_empty_secrets(AwsClients("us-east-1"), [*secrets, other]) == ("two",)


def test_who_may_not_ask_is_told_nothing_of_secrets(aws: AwsWire) -> None:
    aws.answers[DESCRIBE] = refusal("AccessDeniedException", "no")
    secrets = [StackResource(SECRET, "One", "one")]
    assert find_empty_secrets(AwsClients("us-east-1"), secrets) == ()
    asked = len(aws.asked)
    assert find_empty_secrets(AwsClients("us-east-1"), []) == ()
    assert len(aws.asked) == asked


def test_a_deploy_takes_the_keys_from_where_they_are_before_the_cdk_could_see_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORGANIZERS_KEY", "sk-one")
    file = tmp_path / "key"
    file.write_text("sk-two\n")
    file.chmod(0o600)
    kept = {"env": "ORGANIZERS_KEY"}, {"file": "key"}, {"secret": "elsewhere"}
    entries = [
        {
            "name": f"e-{number}",
            "provider": {"name": "openai", "model": "m", "key": key},
            "integration": {"type": "api"},
        }
        for number, key in enumerate(kept)
    ]
    plan = build_test_plan({"endpoints": entries}, tmp_path)
    assert sorted(take_provider_keys(plan).values()) == ["sk-one", "sk-two"]
    assert "ORGANIZERS_KEY" not in os.environ
    with pytest.raises(StartError, match="ORGANIZERS_KEY"):
        take_provider_keys(plan)
