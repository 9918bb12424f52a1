"""Builds the paths under `/v1` of the OpenAPI document; OpenAI's and Anthropic's describe the rest. Pure.

Source: https://platform.openai.com/docs/api-reference (chat, embeddings, models)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.openai import CHAT_PATH, EMBEDDINGS_PATH, MODEL_PATH, MODELS_PATH
from centralized_ml_api.plan.apis import (
    COMPLETIONS,
    IMAGES,
    MESSAGES,
    RERANK,
    RESPONSES,
    SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from centralized_ml_api.plan.speaks import OpenAiModels

Operation = dict[str, Any]

MODEL_PARAMETER = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}


def build_openai_operations(
    models: OpenAiModels, errors: Mapping[str, Any], security: Operation
) -> dict[str, Operation]:
    """Builds the paths that these models need.

    Args:
        models: The entries.
        errors: The answers that every operation may have.
        security: The keys that every operation takes, as a part of it.
    """
    paths = _build_paths(models, errors)
    return {
        path: {method: {**operation, **security} for method, operation in item.items()}
        for path, item in paths.items()
    }


def _build_paths(models: OpenAiModels, errors: Mapping[str, Any]) -> dict[str, Operation]:
    paths: dict[str, Operation] = {}
    if models.chat:
        paths[CHAT_PATH] = {
            "post": {**_chat(models.with_aliases(models.chat)), **_answers(errors, "text/event-stream")}
        }
    for api, names in models.others:
        for path, operation in _OTHERS[api](models.with_aliases(names)).items():
            types = _OTHER_TYPES.get(api, ("text/event-stream",))
            paths[path] = {"post": {**operation, **_answers(errors, *types)}}
    if models.embeddings:
        names = models.with_aliases(models.embeddings)
        paths[EMBEDDINGS_PATH] = {"post": {**_embeddings(names), **_answers(errors)}}
    if models.names:
        summary = "List the models of the OpenAI-compatible paths"
        paths[MODELS_PATH] = {"get": {"operationId": "list_models", "summary": summary, **_answers(errors)}}
        paths[MODEL_PATH] = {"get": {**_model(), **_answers(errors)}}
    return paths


def _chat(names: Sequence[str]) -> Operation:
    message = {"type": "object", "required": ["role"], "properties": {"role": {"type": "string"}}}
    talk = {"type": "array", "minItems": 1, "items": message}
    properties = {"messages": talk, "stream": {"type": "boolean"}}
    messages = [{"role": "user", "content": "What is AWS?"}]
    return {
        "operationId": "create_chat_completion",
        "summary": "Chat, as OpenAI's API does",
        "requestBody": _body(names, properties, {"messages": messages}),
    }


def _completions(names: Sequence[str]) -> dict[str, Operation]:
    operation = {
        "operationId": "create_completion",
        "summary": "Continue a text, as OpenAI's API does",
        "requestBody": _body(names, {"prompt": {}, "stream": {"type": "boolean"}}, {"prompt": "Once upon"}),
    }
    return dict.fromkeys(COMPLETIONS.paths, operation)


def _responses(names: Sequence[str]) -> dict[str, Operation]:
    operation = {
        "operationId": "create_response",
        "summary": "Chat, as OpenAI's Responses API does",
        "requestBody": _body(names, {"input": {}, "stream": {"type": "boolean"}}, {"input": "What is AWS?"}),
    }
    return dict.fromkeys(RESPONSES.paths, operation)


def _messages(names: Sequence[str]) -> dict[str, Operation]:
    """Describes both paths; Anthropic's own document describes the rest, and the shape of errors there."""
    properties: Operation = {"messages": {"type": "array", "minItems": 1, "items": {"type": "object"}}}
    example: Operation = {"messages": [{"role": "user", "content": "What is AWS?"}]}
    length: Operation = {"max_tokens": {"type": "integer"}, "stream": {"type": "boolean"}}
    answers, counts = MESSAGES.paths
    return {
        answers: {
            "operationId": "create_message",
            "summary": "Chat, as Anthropic's API does",
            "requestBody": _body(names, {**properties, **length}, {**example, "max_tokens": 64}),
        },
        counts: {
            "operationId": "count_message_tokens",
            "summary": "Count the tokens of a chat, as Anthropic's API does",
            "requestBody": _body(names, properties, example),
        },
    }


def _transcriptions(names: Sequence[str]) -> dict[str, Operation]:
    summary = "Write down what is said"
    operation = {"operationId": "create_transcription", "summary": summary, "requestBody": _form(names)}
    return dict.fromkeys(TRANSCRIPTIONS.paths, operation)


def _translations(names: Sequence[str]) -> dict[str, Operation]:
    summary = "Write down in English what is said"
    operation = {"operationId": "create_translation", "summary": summary, "requestBody": _form(names)}
    return dict.fromkeys(TRANSLATIONS.paths, operation)


def _speech(names: Sequence[str]) -> dict[str, Operation]:
    text = {"type": "string"}
    operation = {
        "operationId": "create_speech",
        "summary": "Say a text",
        "requestBody": _body(names, {"input": text, "response_format": text}, {"input": "What is AWS?"}),
    }
    return dict.fromkeys(SPEECH.paths, operation)


def _images(names: Sequence[str]) -> dict[str, Operation]:
    operation = {
        "operationId": "create_image",
        "summary": "Draw an image, which comes as base64",
        "requestBody": _body(names, {"prompt": {"type": "string"}}, {"prompt": "A computer in the clouds"}),
    }
    return dict.fromkeys(IMAGES.paths, operation)


def _rerank(names: Sequence[str]) -> dict[str, Operation]:
    properties: Operation = {"query": {"type": "string"}, "documents": {"type": "array", "items": {}}}
    example: Operation = {"query": "What is AWS?", "documents": ["A cloud.", "A cat."]}
    operation = {
        "operationId": "rerank",
        "summary": "Order texts by how well they answer a question",
        "requestBody": _body(names, properties, example),
    }
    return dict.fromkeys(RERANK.paths, operation)


def _embeddings(names: Sequence[str]) -> Operation:
    return {
        "operationId": "create_embedding",
        "summary": "Embed texts, as OpenAI's API does",
        "requestBody": _body(names, {"input": {}}, {"input": "What is AWS?"}),
    }


def _model() -> Operation:
    return {
        "operationId": "retrieve_model",
        "summary": "One of these models",
        "parameters": [MODEL_PARAMETER],
    }


def _body(names: Sequence[str], properties: Operation, example: Operation) -> Operation:
    """Describes only the required properties; everything else in OpenAI's API is allowed."""
    model = {"type": "string", "enum": [*names]}
    required = ["model", *example]
    schema = {"type": "object", "required": required, "properties": {"model": model, **properties}}
    content = {"schema": schema, "example": {"model": names[0], **example}}
    return {"required": True, "content": {"application/json": content}}


def _form(names: Sequence[str]) -> Operation:
    """Describes the form of a recording; every other field of OpenAI's API is allowed."""
    properties: Operation = {
        "model": {"type": "string", "enum": [*names]},
        "file": {"type": "string", "format": "binary"},
        "response_format": {"type": "string"},
    }
    schema = {"type": "object", "required": ["model", "file"], "properties": properties}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _answers(errors: Mapping[str, Any], *more_types: str) -> Operation:
    content = {kind: {"schema": {"type": "object"}} for kind in ("application/json",)}
    streamed: Operation = {kind: {} for kind in more_types}
    answer = {
        "description": "The response, in the format of that API.",
        "content": {**content, **streamed},
    }
    return {"responses": {"200": answer, **errors}}


_OTHERS = {
    COMPLETIONS.name: _completions,
    RESPONSES.name: _responses,
    MESSAGES.name: _messages,
    TRANSCRIPTIONS.name: _transcriptions,
    TRANSLATIONS.name: _translations,
    SPEECH.name: _speech,
    IMAGES.name: _images,
    RERANK.name: _rerank,
}

_OTHER_TYPES: dict[str, tuple[str, ...]] = {
    TRANSCRIPTIONS.name: ("text/plain",),
    TRANSLATIONS.name: ("text/plain",),
    SPEECH.name: ("audio/wav", "audio/mpeg"),
    IMAGES.name: (),
    RERANK.name: (),
}
"""What the answers may be besides JSON; for all others a stream."""
