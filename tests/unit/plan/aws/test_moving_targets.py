"""One config, hosted entries included, means the same on both targets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.speaks import local_openai_models
from support.synthesis import build_test_plan

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.speaks import OpenAiModels

NOW = datetime(2026, 1, 1, tzinfo=UTC)
API = {"integration": {"type": "api"}}


def provider(kind: str, key: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"provider": {"name": kind, "model": "m", "key": key, **more}, **API}


ENTRIES: list[dict[str, Any]] = [
    {"name": "gpt", **provider("openai", {"env": "OPENAI_API_KEY"}), "fallback": ["haiku"]},
    {"name": "opus", **provider("anthropic", {"secret": "opus-key"}), "max_output_tokens": 500},
    {"name": "answers", **provider("openai", {"env": "K"}, speaks=["openai-chat", "openai-responses"])},
    {"name": "native", **provider("anthropic", {"env": "K"}, speaks="anthropic-messages")},
    {"name": "lab", "provider": {"url": "https://lab.test/v1", "model": "qwen"}, **API},
    {"name": "haiku", "bedrock_model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0", **API},
    {"name": "oss", "bedrock_model_id": "openai.gpt-oss-20b-1:0", "speaks": "openai-chat", **API},
    {"name": "titan", "bedrock_model_id": "amazon.titan-embed-text-v2:0", **API},
]
EVENT = {"aliases": {"gpt-4o-mini": "gpt"}}


@pytest.fixture(scope="module")
def on_one_machine(tmp_path_factory: pytest.TempPathFactory) -> OpenAiModels:
    file: Path = tmp_path_factory.mktemp("local") / "models.json"
    file.write_text(json.dumps({"endpoints": ENTRIES, "event": EVENT}))
    return local_openai_models(build_plan(load_config(file, now=NOW)), translates=True)


@pytest.fixture(scope="module")
def on_aws(tmp_path_factory: pytest.TempPathFactory) -> OpenAiModels:
    folder = tmp_path_factory.mktemp("aws")
    return build_test_plan({"endpoints": ENTRIES, "event": EVENT}, folder).openai


def test_every_path_has_the_same_entries_on_both(on_one_machine: OpenAiModels, on_aws: OpenAiModels) -> None:
    assert {api: sorted(names) for api, names in on_one_machine.by_api.items()} == {
        api: sorted(names) for api, names in on_aws.by_api.items()
    }
    assert on_one_machine.translated == on_aws.translated
    assert {entry["name"] for entry in ENTRIES} - {"titan"} <= set(on_aws.names)


def test_aliases_and_what_models_can_do_are_the_same_on_both(
    on_one_machine: OpenAiModels, on_aws: OpenAiModels
) -> None:
    assert on_one_machine.aliases == on_aws.aliases == EVENT["aliases"]
    for entry in ENTRIES:
        name = entry["name"]
        assert on_one_machine.capabilities_of(name) == on_aws.capabilities_of(name), name
