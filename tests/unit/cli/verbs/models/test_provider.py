"""`mlapi models --provider NAME` lists what the organizer's key may call there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.aws_wire import Answer as AwsAnswer
from support.aws_wire import serve_aws
from support.file_server import Answer, FileServer
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = {"THE_KEY": "sk-secret"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with FileServer(json.dumps({"data": [{"id": "gpt-5"}, {"id": "o-1"}]}).encode()) as server:
        provider = {"name": "openai", "url": f"{server.url}/v1", "model": "gpt-5", "key": {"env": "THE_KEY"}}
        entry = {"name": "gpt", "provider": provider, "integration": {"type": "api"}}
        (tmp_path / "hosted.json").write_text(json.dumps({"endpoints": [entry]}))
        yield server


@pytest.mark.parametrize("name", ["openai", "gpt"])
def test_it_lists_the_names_of_the_provider(tmp_path: Path, server: FileServer, name: str) -> None:
    ran = mlapi("models", "--provider", name, "--from", "hosted.json", cwd=tmp_path, environment=KEY)
    assert (ran.status, ran.out) == (0, "gpt-5\no-1\n")
    assert server.seen[-1].headers["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in ran.talk


def test_words_narrow_the_list(tmp_path: Path, server: FileServer) -> None:
    flags = ("--provider", "openai", "--from", "hosted.json", "--json")
    ran = mlapi("models", "GPT", *flags, cwd=tmp_path, environment=KEY)
    assert json.loads(ran.out) == ["gpt-5"]
    assert server.seen


def test_a_provider_that_the_config_does_not_have(tmp_path: Path, server: FileServer) -> None:
    ran = mlapi("models", "--provider", "groq", "--from", "hosted.json", cwd=tmp_path)
    assert ran.status == 2
    assert "hosted.json has no entry of the provider groq, but of openai" in ran.talk
    assert server.seen == []


def test_bedrock_is_listed_by_the_name_of_an_entry_or_its_own(tmp_path: Path) -> None:
    entry = {"name": "claude", "bedrock_model_id": "a.model", "bedrock_region": "us-west-2"}
    (tmp_path / "c.json").write_text(json.dumps({"endpoints": [{**entry, "integration": {"type": "api"}}]}))
    models = AwsAnswer(200, {"modelSummaries": [{"modelArn": "arn", "modelId": "a.model"}]})
    profiles = AwsAnswer(200, {"inferenceProfileSummaries": []})
    answers = {"bedrock.GET /foundation-models": models, "bedrock.GET /inference-profiles": profiles}
    with serve_aws(answers) as aws:
        login = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"}
        environment = {"AWS_ENDPOINT_URL_BEDROCK": aws.url, **login}
        for name in ("bedrock", "claude"):
            ran = mlapi(
                "models", "--provider", name, "--from", "c.json", cwd=tmp_path, environment=environment
            )
            assert (ran.status, ran.out) == (0, "a.model\n")


def test_a_refused_key(tmp_path: Path, server: FileServer) -> None:
    server.usual = Answer(status=401)
    ran = mlapi("models", "--provider", "openai", "--from", "hosted.json", cwd=tmp_path, environment=KEY)
    assert ran.status == 1
    assert "openai refuses the key from the variable THE_KEY (401)" in ran.talk
    assert "sk-secret" not in ran.talk
