from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from openapi_spec_validator import validate

from centralized_ml_api.api.openapi import build_openapi
from centralized_ml_api.plan.apis import CHAT, EMBEDDINGS, MODEL_APIS
from centralized_ml_api.plan.speaks import OpenAiModels
from support.synthesis import build_test_plan, container, function, model, package

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.config.schema import ServerSpeaks

OWN_PATHS = ["/", "/models", "/openapi.json", "/health"]


def test_every_path_is_there_in_config_order(tmp_path: Path) -> None:
    config = {"models": [package("z"), container("a"), model("f", integration=function())]}
    document = build_openapi(build_test_plan(config, tmp_path).api)
    assert list(document["paths"]) == ["/z", "/a", "/f", *OWN_PATHS]
    assert document["openapi"].startswith("3.0.")
    assert json.loads(json.dumps(document)) == document


def test_an_operation_has_what_a_caller_needs(tmp_path: Path) -> None:
    entry = package(
        description="Draws.",
        sample={"prompt": "a cat"},
        integration={"type": "api", "headers": ["X-Caller"]},
    )
    operation = build_openapi(build_test_plan({"models": [entry]}, tmp_path).api)["paths"]["/a-package"][
        "post"
    ]
    assert operation["operationId"] == "call_a_package"
    assert operation["description"] == "Draws."
    assert operation["requestBody"]["content"]["application/json"]["example"] == {"prompt": "a cat"}
    assert [parameter["name"] for parameter in operation["parameters"]] == ["X-Caller"]


def test_errors_have_the_one_shape(tmp_path: Path) -> None:
    document = build_openapi(build_test_plan({"models": [package()]}, tmp_path).api)
    responses = document["paths"]["/a-package"]["post"]["responses"]
    for status in ("413", "429", "503", "504"):
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Error"}
    error = document["components"]["schemas"]["Error"]["properties"]["error"]
    assert "content" not in responses["400"], "a model's refusal has the form that the model gives it"
    assert error["required"] == ["message", "type", "code", "request_id"]


def test_operation_ids_are_unique(tmp_path: Path) -> None:
    config = {"models": [package("a-b"), package("ab"), package("a-b-c")]}
    paths = build_openapi(build_test_plan(config, tmp_path).api)["paths"].values()
    ids = [operation["operationId"] for path in paths for operation in path.values()]
    assert len(set(ids)) == len(ids) == 3 + len(OWN_PATHS)


def test_the_paths_of_openai_are_there_for_entries_that_chat_or_embed(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package()]}, tmp_path).api
    document = build_openapi(plan, OpenAiModels(chat=("a",), embeddings=("b", "c")))
    assert list(document["paths"]) == [
        "/a-package",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/models",
        "/v1/models/{model}",
        *OWN_PATHS,
    ]
    body = document["paths"]["/v1/embeddings"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"]["model"]["enum"] == ["b", "c"]
    assert body["example"] == {"model": "b", "input": "What is AWS?"}
    assert "text/event-stream" in str(document["paths"]["/v1/chat/completions"]["post"]["responses"]["200"])
    assert "/v1/chat/completions" not in build_openapi(plan, OpenAiModels(embeddings=("b",)))["paths"]


@pytest.mark.parametrize("later", [None, ("draws", "hears")])
@pytest.mark.parametrize("event", [{}, {"event": {"teams": ["red"]}}])
def test_it_is_valid(tmp_path: Path, event: dict[str, object], later: tuple[str, ...] | None) -> None:
    entries = [
        package("draws", gives="image/png", sample={"prompt": "a cat"}),
        package("hears", takes="audio/wav"),
        package("streams", integration={"type": "stream", "headers": ["X-A"]}),
    ]
    plan = build_test_plan({"models": entries, **event}, tmp_path).api
    models = OpenAiModels(chat=("draws",), embeddings=("hears",))
    document = build_openapi(plan, models, root="/prod", later=later)
    validate(document)
    assert document["servers"] == [{"url": "/prod"}]
    assert ("*/*" in json.dumps(document)) == (later is not None), "a job may have any answer"


def test_what_may_be_answered_later_is_described(tmp_path: Path) -> None:
    entries = [package("a", integration={"type": "api", "headers": ["X-A"]}), package("b")]
    plan = build_test_plan({"models": entries, "event": {"teams": ["red"]}}, tmp_path).api
    document = build_openapi(plan, OpenAiModels(chat=("b",)), later=("a",))
    takes = {
        path: [each["name"] for each in item["post"]["parameters"]]
        for path, item in document["paths"].items()
        if "202" in item.get("post", {}).get("responses", {})
    }
    assert takes == {"/a": ["X-A", "Prefer"], "/v1/chat/completions": ["Prefer"]}
    taken = document["paths"]["/a"]["post"]["responses"]["202"]
    assert [*taken["headers"]] == ["Location", "Preference-Applied", "Retry-After"]
    jobs, job = document["paths"]["/v1/jobs"]["get"], document["paths"]["/v1/jobs/{id}"]
    assert [each["name"] for each in jobs["parameters"]] == ["limit", "after"]
    assert jobs["security"] == job["get"]["security"] == [{"key": []}, {"bearer": []}]
    assert {*job["get"]["responses"]} == {"200", "202", "401", "403", "404", "default"}
    assert [*job] == ["get", "delete"]


def test_where_nothing_is_answered_later_no_job_is_spoken_of(tmp_path: Path) -> None:
    text = json.dumps(build_openapi(build_test_plan({"models": [package()]}, tmp_path).api))
    assert "Prefer" not in text
    assert "job" not in text


def test_with_teams_all_but_the_page_and_the_health_ask_for_a_key(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package()], "event": {"teams": ["red"]}}, tmp_path).api
    document = build_openapi(plan, OpenAiModels(chat=("a-package",)))
    assert document["components"]["securitySchemes"]["key"]["name"] == "x-api-key"
    assert document["security"] == [{"key": []}]
    chat = document["paths"]["/v1/chat/completions"]["post"]
    assert chat["security"] == [{"key": []}, {"bearer": []}], "OpenAI's clients send nothing but Bearer"
    found = {path: operation for path, item in document["paths"].items() for operation in item.values()}
    assert {path for path, operation in found.items() if operation.get("security") == []} == {
        "/",
        "/health",
    }
    assert {path for path, operation in found.items() if "401" not in operation["responses"]} == {
        "/",
        "/health",
    }


def test_without_teams_no_key_is_spoken_of(tmp_path: Path) -> None:
    text = json.dumps(build_openapi(build_test_plan({"models": [package()]}, tmp_path).api))
    assert "securitySchemes" not in text
    assert '"401"' not in text


def test_each_api_that_an_entry_has_is_described(tmp_path: Path) -> None:
    plan = build_test_plan({"models": [package("a")]}, tmp_path).api
    others: list[ServerSpeaks] = [api.name for api in MODEL_APIS if api not in (CHAT, EMBEDDINGS)]
    models = OpenAiModels(chat=("a",), others=tuple((api, ("a",)) for api in others))
    document = build_openapi(plan, models)
    validate(document)
    posts = {path: item["post"]["operationId"] for path, item in document["paths"].items() if "post" in item}
    assert posts == {
        "/a": "call_a",
        "/v1/chat/completions": "create_chat_completion",
        "/v1/completions": "create_completion",
        "/v1/responses": "create_response",
        "/v1/messages": "create_message",
        "/v1/messages/count_tokens": "count_message_tokens",
        "/v1/audio/transcriptions": "create_transcription",
        "/v1/audio/translations": "create_translation",
        "/v1/audio/speech": "create_speech",
        "/v1/images/generations": "create_image",
        "/v1/rerank": "rerank",
    }
    heard = document["paths"]["/v1/audio/transcriptions"]["post"]
    assert heard["requestBody"]["content"]["multipart/form-data"]["schema"]["required"] == ["model", "file"]
    assert [*heard["responses"]["200"]["content"]] == ["application/json", "text/plain"]
    asked = document["paths"]["/v1/messages"]["post"]["requestBody"]["content"]["application/json"]
    assert asked["schema"]["required"] == ["model", "messages", "max_tokens"]
    assert asked["example"]["model"] == "a"
