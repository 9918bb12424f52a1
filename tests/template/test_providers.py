"""Models of providers: the function's table, its secrets, and who may read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.stack.contract import PROVIDER_SECRETS_OUTPUT
from support.synthesis import package

if TYPE_CHECKING:
    from support.synthesis import Deploys, Template

INTEGRATION = "x-amazon-apigateway-integration"
KEYS = {"gpt": {"env": "OPENAI_API_KEY"}, "again": {"env": "OPENAI_API_KEY"}, "kept": {"secret": "mine"}}
CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
LAB = {"url": "http://gpu-box:8000/v1", "model": "q", "speaks": ["anthropic-messages", "openai-responses"]}


def entry(name: str, provider: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "integration": {"type": "api"}, "provider": provider}


@pytest.fixture
def template(template_of: Deploys) -> Template:
    hosted = [
        entry(name, {"name": "openai", "model": "gpt-5-mini", "key": key}) for name, key in KEYS.items()
    ]
    bedrock = {"name": "claude", "integration": {"type": "api"}, "bedrock_model_id": f"us.{CLAUDE}"}
    return template_of(package(), endpoints=[*hosted, entry("lab", LAB), bedrock])


def test_the_stacks_secret_is_empty_and_no_key_is_in_the_template(template: Template) -> None:
    secret = template.only("AWS::SecretsManager::Secret")
    assert secret == {"Description": "A provider's key, put here after the deploy"}
    (output,) = [
        output for name, output in template.document["Outputs"].items() if name == PROVIDER_SECRETS_OUTPUT
    ]
    assert template.id_of("AWS::SecretsManager::Secret") in str(output["Value"])


def test_the_function_may_read_exactly_these_secrets(template: Template) -> None:
    (read,) = [
        statement
        for role in template.of_type("AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "secretsmanager" in str(statement["Action"])
    ]
    own, adopted = read["Resource"]
    assert read["Action"] == "secretsmanager:GetSecretValue"
    assert own == {"Ref": template.id_of("AWS::SecretsManager::Secret")}
    assert adopted["Fn::Join"][1][-1] == ":secret:mine-??????"


def test_the_function_may_call_exactly_this_model_of_bedrock(template: Template) -> None:
    profile, model = (
        statement
        for role in template.of_type("AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "bedrock:InvokeModel" in statement["Action"]
    )
    actions = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    assert profile["Action"] == model["Action"] == actions
    assert profile["Resource"]["Fn::Join"][1][-1] == f":inference-profile/us.{CLAUDE}"
    assert model["Resource"]["Fn::Join"][1][-1] == f":bedrock:*::foundation-model/{CLAUDE}"
    assert model["Condition"] == {"StringEquals": {"bedrock:InferenceProfileArn": profile["Resource"]}}


def test_the_function_knows_how_each_is_called_and_describes_no_endpoint_of_theirs(
    template: Template,
) -> None:
    (function,) = template.of_type("AWS::Lambda::Function")
    parts = function["Environment"]["Variables"]["MODELS"]["Fn::Join"][1]
    models = json.loads("".join(part if isinstance(part, str) else "<ref>" for part in parts))
    assert [models[name]["provider"]["secret"] for name in KEYS] == ["<ref>", "<ref>", "mine"]
    lab = {"url": LAB["url"], "model": "q", "apis": LAB["speaks"], "counts": True}
    assert models["lab"] == {"provider": lab, "headers": []}
    claude = {"model": f"us.{CLAUDE}", "region": "us-east-1", "converse": True}
    apis = ["openai-chat", "openai-responses", "anthropic-messages"]
    assert models["claude"] == {"bedrock": {**claude, "apis": apis}, "headers": []}
    assert models["a-package"].keys() == {"endpoint"}


@pytest.mark.parametrize(
    "path",
    [
        *("/gpt", "/lab", "/claude", "/v1/chat/completions"),
        *("/v1/responses", "/v1/messages", "/v1/messages/count_tokens"),
    ],
)
def test_their_paths_stream_what_the_function_answers(template: Template, path: str) -> None:
    item = template.api["paths"][path]
    assert item["post"][INTEGRATION]["responseTransferMode"] == "STREAM"
    assert item["options"][INTEGRATION]["responses"]["default"]["statusCode"] == "204"
    assert "/v1/completions" not in template.api["paths"]
