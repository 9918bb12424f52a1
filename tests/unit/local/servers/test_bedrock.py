"""The way to Bedrock: credentials to sign with, or a key that is sent, and what can be asked beforehand."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import ExternalUpstream, Signing, Upstream
from centralized_ml_api.local.machine.child_environment import inherited_environment
from centralized_ml_api.local.servers.bedrock import BedrockService, open_bedrock
from centralized_ml_api.local.servers.bedrock_models import list_bedrock_models
from centralized_ml_api.plan.bedrock import BedrockServing
from centralized_ml_api.plan.types import BedrockModel
from support.aws_service import log_in, looked
from support.aws_wire import Answer, refusal, serve_aws

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
CONVERSED = BedrockServing(BedrockModel(CLAUDE, "us-west-2", is_openai=False))
CHATS = BedrockServing(BedrockModel("openai.gpt-oss-120b-1:0", "us-west-2", is_openai=True))
KEY = "bedrock-api-key-0123456789"


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, tmp_path, "the-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def running(serving: BedrockServing, scratch: Path) -> AbstractAsyncContextManager[BedrockService]:
    """A service after its first look."""
    service = BedrockService(serving, open_bedrock(serving), scratch, lambda: None)
    assert service.path_of("a") == "/"
    return looked(service)


def test_calls_are_signed_for_bedrock_in_the_region_of_the_model(tmp_path: Path) -> None:
    async def tell() -> Path:
        async with running(CONVERSED, tmp_path) as service:
            upstream = service.upstream("a")
            assert isinstance(upstream, ExternalUpstream)
            assert isinstance(upstream.signing, Signing)
            assert (upstream.host, upstream.ready) == ("bedrock-runtime.us-west-2.amazonaws.com", True)
            assert (upstream.signing.region, upstream.signing.service) == ("us-west-2", "bedrock")
            assert (upstream.is_provider, upstream.is_sagemaker) == (True, False)
            assert "the-secret" in upstream.signing.credentials.read_text()
            assert service.path_of("a") == "/"
            return upstream.signing.credentials

    assert not asyncio.run(tell()).exists()
    assert list(tmp_path.iterdir()) == []


def test_an_api_key_of_bedrock_is_sent_instead_and_no_child_inherits_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", f"{KEY}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    async def tell() -> Path:
        async with running(CHATS, tmp_path) as service:
            upstream = service.upstream("a")
            assert isinstance(upstream, ExternalUpstream)
            assert upstream.signing is None
            assert upstream.provider
            assert (upstream.provider.header, upstream.provider.prefix) == ("authorization", "Bearer ")
            file = upstream.provider.key
            assert file
            assert (file.name, stat.S_IMODE(file.stat().st_mode)) == ("key.json", 0o600)
            assert f'"inline_string": "{KEY}"' in file.read_text()
            assert KEY not in repr(service.access)
            assert service.path_of("a") == "/openai/v1/chat/completions"
            return file

    assert not asyncio.run(tell()).exists()
    assert "AWS_BEARER_TOKEN_BEDROCK" not in inherited_environment()


@pytest.mark.parametrize(
    ("serving", "variable", "said"),
    [
        (CONVERSED, {"AWS_SECRET_ACCESS_KEY": None, "AWS_ACCESS_KEY_ID": None}, "no AWS credentials"),
        (CONVERSED, {"AWS_BEARER_TOKEN_BEDROCK": "two words"}, "something else than a key"),
        (BedrockServing(BedrockModel(CLAUDE, None, is_openai=False)), {}, '"bedrock_region": "us-east-1"'),
        (
            BedrockServing(BedrockModel(CLAUDE, "eu-west-1", is_openai=False)),
            {},
            f"{CLAUDE} cannot be called in eu-west-1",
        ),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    serving: BedrockServing,
    variable: dict[str, str | None],
    said: str,
) -> None:
    for name, value in variable.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)

    async def tell() -> str:
        async with running(serving, tmp_path) as service:
            assert service.upstream("a") == Upstream("a", ())
            return f"{service.report().state}: {service.report().detail}"

    found = asyncio.run(tell())
    assert found.startswith("unready: ")
    assert said in found
    if "region" in found:
        assert "in a local block" in found, "the key has another name there"


def test_another_address_keeps_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://localhost:4566/aws/")

    async def tell() -> list[str]:
        async with running(CONVERSED, tmp_path) as one, running(CHATS, tmp_path) as other:
            return [one.path_of("a"), other.path_of("a")]

    assert asyncio.run(tell()) == ["/aws/", "/aws/openai/v1/chat/completions"]


def test_models_and_profiles_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    models = Answer(200, {"modelSummaries": [{"modelArn": "arn", "modelId": "b.model"}]})
    profiles = Answer(200, {"inferenceProfileSummaries": [{"inferenceProfileId": "us.a.model"}]})
    answers = {"bedrock.GET /foundation-models": models, "bedrock.GET /inference-profiles": profiles}
    with serve_aws(answers) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", aws.url)
        assert list_bedrock_models(CONVERSED) == ["b.model", "us.a.model"]
        aws.answers["bedrock.GET /foundation-models"] = refusal("AccessDeniedException", "no", 403)
        with pytest.raises(StartError, match="does not list its models in us-west-2") as failed:
            list_bedrock_models(CONVERSED)
    assert "bedrock:List*" in failed.value.fix
