"""What is decided of a model that a provider hosts."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import pytest

from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.providers import PRESETS, ProviderName
from centralized_ml_api.config.schema import EndpointEntry
from centralized_ml_api.config.shape.read import read_object
from centralized_ml_api.plan.apis import CHAT, EMBEDDINGS, RESPONSES
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.provider import KeyPlace, ProviderServing, find_provider, find_provider_on_aws
from centralized_ml_api.plan.render import plan_json, render_plan
from centralized_ml_api.plan.speaks import local_openai_models
from centralized_ml_api.plan.types import ExistingEndpoint, ProviderModel

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan

NOW = datetime(2026, 1, 1, tzinfo=UTC)
API = {"type": "api"}
KEY = {"env": "OPENAI_API_KEY"}
OPENAI = {"name": "openai", "model": "gpt-5-mini", "key": KEY}


def plan_of(folder: Path, *endpoints: dict[str, Any]) -> ApiPlan:
    entries = [{"name": f"e-{number}", "integration": API, **entry} for number, entry in enumerate(endpoints)]
    (folder / "models.json").write_text(json.dumps({"endpoints": entries}))
    return build_plan(load_config(folder / "models.json", now=NOW))


def serving_of(folder: Path, provider: dict[str, Any]) -> ProviderServing:
    local = plan_of(folder, {"provider": provider}).deployments[0].local
    assert local
    assert isinstance(local.serving, ProviderServing)
    return local.serving


def test_every_provider_that_may_be_written_has_its_line() -> None:
    assert tuple(PRESETS) == get_args(ProviderName)
    assert [name for name, preset in PRESETS.items() if not preset.source.startswith("https://")] == []
    assert [name for name, preset in PRESETS.items() if preset.url is None] == ["azure"]


def test_a_provider_is_where_its_line_says(tmp_path: Path) -> None:
    serving = serving_of(tmp_path, OPENAI)
    assert serving.path == "/v1/chat/completions"
    assert (serving.target.host, serving.target.port, serving.target.tls) == ("api.openai.com", 443, True)
    assert (serving.model, serving.key) == ("gpt-5-mini", KeyPlace("env", "OPENAI_API_KEY"))
    assert serving.summary == "openai, gpt-5-mini"
    assert serving.find_speaks("text-inputs") == ("openai-chat",)


@pytest.mark.parametrize(
    ("url", "chat", "embeddings"),
    [
        ("https://a.test/v1", "/v1/chat/completions", "/v1/embeddings"),
        ("https://a.test/v1/", "/v1/chat/completions", "/v1/embeddings"),
        ("https://a.test/v1beta/openai", "/v1beta/openai/chat/completions", "/v1beta/openai/embeddings"),
        ("https://a.test", "/chat/completions", "/embeddings"),
    ],
)
def test_every_path_is_below_the_address(tmp_path: Path, url: str, chat: str, embeddings: str) -> None:
    serving = serving_of(tmp_path, {"url": url, "model": "m"})
    assert serving.path == chat
    assert serving.path_of(CHAT, CHAT.paths[0], is_first=True) == chat
    assert serving.path_of(EMBEDDINGS, EMBEDDINGS.paths[0], is_first=False) == embeddings


def test_another_server_has_no_name_and_may_need_no_key(tmp_path: Path) -> None:
    serving = serving_of(tmp_path, {"url": "http://gpu-box:8000/v1", "model": "m"})
    assert (serving.name, serving.title, serving.key) == (None, "gpu-box:8000", None)
    assert serving.apis == ("openai-chat",)


def test_an_address_may_replace_that_of_the_provider(tmp_path: Path) -> None:
    serving = serving_of(tmp_path, {**OPENAI, "url": "https://eu.api.openai.com/v1"})
    assert (serving.target.host, serving.preset) == ("eu.api.openai.com", PRESETS["openai"])


def test_what_the_model_speaks_may_be_said(tmp_path: Path) -> None:
    embeds = serving_of(tmp_path, {**OPENAI, "speaks": "openai-embeddings"})
    assert (embeds.path, embeds.apis, embeds.sample) == ("/v1/embeddings", ("openai-embeddings",), None)
    both = serving_of(tmp_path, {**OPENAI, "speaks": ["openai-responses", "openai-chat"]})
    assert (both.path, both.api) == ("/v1/responses", RESPONSES)


def test_a_chat_has_a_sample(tmp_path: Path) -> None:
    assert list(serving_of(tmp_path, OPENAI).sample) == ["messages"]


@pytest.mark.parametrize(
    ("key", "place", "title"),
    [
        ({"env": "A"}, KeyPlace("env", "A"), "the variable A"),
        ({"file": "b"}, KeyPlace("file", "b"), "the file b"),
        ({"secret": "c"}, KeyPlace("secret", "c"), "the secret c"),
    ],
)
def test_a_key_has_one_place(tmp_path: Path, key: dict[str, str], place: KeyPlace, title: str) -> None:
    serving = serving_of(tmp_path, {**OPENAI, "key": key})
    assert serving.key == place
    assert place.title == title


def test_an_entry_may_be_called_by_its_provider_on_one_machine_alone(tmp_path: Path) -> None:
    (entry,) = plan_of(tmp_path, {"local": {"engine": "provider", **OPENAI}}).deployments
    assert entry.origin == ExistingEndpoint()
    assert entry.local == plan_of(tmp_path, {"provider": OPENAI}).deployments[0].local


def test_local_may_be_another_home_for_the_rehearsal(tmp_path: Path) -> None:
    home = {"engine": "url", "url": "http://gpu-box:8000/v1/chat/completions"}
    (entry,) = plan_of(tmp_path, {"provider": OPENAI, "local": home}).deployments
    assert isinstance(entry.origin, ProviderModel)
    assert (entry.origin.serving.title, entry.origin.serving.model) == ("openai", "gpt-5-mini")
    assert entry.local
    assert entry.local.serving.engine == "url"


def test_it_has_the_paths_of_its_apis_under_v1(tmp_path: Path) -> None:
    embeds = {**OPENAI, "model": "e", "speaks": "openai-embeddings"}
    models = local_openai_models(plan_of(tmp_path, {"provider": OPENAI}, {"provider": embeds}))
    assert models.by_api == {
        "openai-chat": ("e-0",),
        "openai-embeddings": ("e-1",),
    }


def test_other_apis_are_translated_where_that_is_possible(tmp_path: Path) -> None:
    claude = {**OPENAI, "name": "anthropic", "speaks": "anthropic-messages"}
    planned = plan_of(tmp_path, {"provider": OPENAI}, {"provider": claude})
    models = local_openai_models(planned, translates=True)
    assert models.by_api == {
        "openai-chat": ("e-0", "e-1"),
        "openai-responses": ("e-0", "e-1"),
        "anthropic-messages": ("e-0", "e-1"),
    }
    translated = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
    assert models.paths_of("e-0") == translated
    assert models.paths_of("e-1") == (*translated, "/v1/messages/count_tokens")
    assert models.names_at("/v1/messages/count_tokens") == ("e-1",)
    assert models.only(["e-0"]).paths_of("e-0") == translated


def test_anthropics_own_api_has_its_own_headers(tmp_path: Path) -> None:
    claude = {**OPENAI, "name": "anthropic", "speaks": "anthropic-messages"}
    preset = serving_of(tmp_path, claude).preset
    assert (preset.header, preset.prefix) == ("x-api-key", "")
    assert preset.headers == (("anthropic-version", "2023-06-01"),)
    assert serving_of(tmp_path, {**OPENAI, "name": "anthropic"}).preset == PRESETS["anthropic"]


@pytest.mark.parametrize("name", PRESETS)
def test_responses_which_reach_the_organizers_account_must_be_asked_for(
    tmp_path: Path, name: ProviderName
) -> None:
    written = {**OPENAI, "name": name, "url": "https://a.test/v1"}
    assert serving_of(tmp_path, written).apis == ("openai-chat",)
    asked = serving_of(tmp_path, {**written, "speaks": ["openai-chat", "openai-responses"]})
    assert asked.apis == ("openai-chat", "openai-responses")


def test_the_plan_of_one_machine_names_provider_and_model(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"provider": OPENAI, "max_output_tokens": 100})
    line = render_plan(plan, "local").splitlines()[1]
    assert re.split("  +", line) == ["/e-0", "openai: gpt-5-mini", "provider: openai, gpt-5-mini", "api", "-"]
    assert plan.not_acted_on == ()
    key = plan_json(plan, "local")["entries"][0]["local"]["serving"]["key"]
    assert key == {"kind": "env", "where": "OPENAI_API_KEY"}


def test_the_plan_of_aws_names_who_hosts_it_and_what_must_be_in_reach(tmp_path: Path) -> None:
    own = {"url": "http://gpu-box:8000/v1", "model": "m"}
    plan = plan_of(tmp_path, {"provider": OPENAI, "max_output_tokens": 9}, {"provider": own})
    shown = render_plan(plan, "aws").splitlines()
    assert re.split("  +", shown[1]) == ["/e-0", "openai: gpt-5-mini", "none: openai hosts it", "api", "-"]
    assert shown[-1] == "AWS calls e-1 at gpu-box:8000, which it must be able to reach."
    assert len(plan.not_acted_on_aws) == 1


def test_aws_calls_the_provider_whatever_one_machine_does() -> None:
    home = {"engine": "url", "url": "http://gpu-box:8000/v1/chat/completions"}
    written = read_object(
        EndpointEntry, {"name": "e", "integration": {"type": "api"}, "provider": OPENAI, "local": home}
    )
    found = find_provider_on_aws(written)
    assert found
    assert (find_provider(written), found.title) == (None, "openai")
    alone = EndpointEntry(**{**vars(written), "provider": None})
    assert find_provider_on_aws(alone) is None
