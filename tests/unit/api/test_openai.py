"""What the list of models tells, to clients of OpenAI's and of Anthropic's API."""

from __future__ import annotations

from centralized_ml_api.api.entry_details import Known
from centralized_ml_api.api.openai import MOST_NAMED, build_model_list, list_models, model_elsewhere
from centralized_ml_api.plan.speaks import OpenAiModels

NOON = 1_900_000_800


def test_a_model_is_listed_for_the_clients_of_both_apis() -> None:
    models = OpenAiModels(("chat",), ("embed",), (("anthropic-messages", ("chat",)),), {"chat": True})
    listed = list_models(models, Known(context_lengths={"chat": 2048}, created=NOON))
    shared = {
        "object": "model",
        "type": "model",
        "created": NOON,
        "created_at": "2030-03-17T18:00:00Z",
        "owned_by": "centralized-ml-api",
    }
    assert build_model_list(listed) == {
        "object": "list",
        "data": [
            {
                **shared,
                "id": "chat",
                "display_name": "chat",
                "capabilities": {"chat": True, "embeddings": False, "tools": True},
                "routes": ["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"],
                "context_length": 2048,
            },
            {
                **shared,
                "id": "embed",
                "display_name": "embed",
                "capabilities": {"chat": False, "embeddings": True, "tools": False, "vision": False},
                "routes": ["/v1/embeddings"],
            },
        ],
        "has_more": False,
        "first_id": "chat",
        "last_id": "embed",
    }


def test_a_list_without_models_has_no_ends() -> None:
    assert build_model_list([]) == {
        "object": "list",
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }


def test_since_when_an_api_serves_may_be_unknown() -> None:
    (listed,) = list_models(OpenAiModels(("chat",)), Known())
    (model,) = build_model_list([listed])["data"]
    assert (model["created"], model["created_at"]) == (0, "1970-01-01T00:00:00Z")


def test_a_model_at_other_paths_says_at_which() -> None:
    error = model_elsewhere(["/v1/embeddings", "/embed"], ["chat"])
    assert (error.status, error.code) == (404, "model_not_found")
    assert error.message == (
        "That model is not at this path, but at POST /v1/embeddings, POST /embed. Available: chat."
    )
    assert "Available: none." in model_elsewhere(["/embed"], []).message


def test_of_many_models_of_a_path_the_first_are_named_to_whoever_asks_for_another() -> None:
    names = [f"m-{number}" for number in range(MOST_NAMED + 2)]
    assert (
        f"{', '.join(names[:MOST_NAMED])}, and 2 more: GET /v1/models." in model_elsewhere([], names).message
    )
    assert f"Available: {', '.join(names[:MOST_NAMED])}." in model_elsewhere([], names[:MOST_NAMED]).message
