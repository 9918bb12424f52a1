"""The paths of OpenAI's API: chat, whole and streamed, and the list of models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api import openai
from centralized_ml_api.api.http import EVENTS_IN_UTF8
from contract.api import BEDROCK, CHATS, EMBEDS, FALLING, HOSTED, LISTED, MEDIA
from contract.case import JSON, Bytes, Case, Expected, Json, Request, refused, render_json

if TYPE_CHECKING:
    from support.running_gateway import Answer

SAID = "it is so"
DEEP = 900
"""Levels that the model's own parser reads; what lies between it and the caller reads more."""

_ALLOW = {"allow": "POST, OPTIONS"}


@dataclass(frozen=True)
class Events:
    """Server-sent events with these words in order, and OpenAI's end."""

    words: tuple[str, ...]

    def check(self, answer: Answer) -> None:
        """Compares them."""
        events = answer.body.decode().removesuffix("\n\n").split("\n\n")
        assert events[-1] == "data: [DONE]", events
        said = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
        words = [one["choices"][0]["delta"].get("content") for one in said]
        assert tuple(word for word in words if word) == self.words, events


@dataclass(frozen=True)
class Completion:
    """One whole answer of a chat."""

    words: str

    def check(self, answer: Answer) -> None:
        """Compares it."""
        Json({"object": "chat.completion"}).check(answer)
        message = answer.json["choices"][0]["message"]
        assert message == {"role": "assistant", "content": self.words}, answer.json


def chat(**more: Any) -> Request:
    """A chat with the model `chat`, or with another one."""
    asked = {"model": "chat", "messages": [{"role": "user", "content": SAID}], **more}
    return Request(openai.CHAT_PATH, render_json(asked), headers={"Content-Type": JSON})


def tell(name: str, act: str, **more: Any) -> Request:
    """Builds a chat with a hosted model that makes it behave as the model `act`."""
    models = {**HOSTED, **{entry: model for entry, (model, _) in FALLING.items()}, **BEDROCK}
    said = [{"role": "user", "content": f"{models[name]} does {act}"}]
    return chat(model=name, messages=said, **more)


def _broken(body: bytes) -> Request:
    return Request(openai.CHAT_PATH, body, headers={"Content-Type": JSON})


@dataclass(frozen=True)
class Listed:
    """The models of these names, in this order, as OpenAI's and Anthropic's clients read them."""

    names: tuple[str, ...]

    def check(self, answer: Answer) -> None:
        """Compares them."""
        assert answer.json["object"] == "list", answer
        assert tuple(model["id"] for model in answer.json["data"]) == self.names, answer
        ends = answer.json["first_id"], answer.json["last_id"]
        assert (*ends, answer.json["has_more"]) == (self.names[0], self.names[-1], False), answer
        for model in answer.json["data"]:
            assert (model["object"], model["owned_by"]) == ("model", "centralized-ml-api"), model
            assert isinstance(model["created"], int), model
            can = model["capabilities"]
            name = model.get("root", model["id"])
            chats = name not in {*MEDIA, *EMBEDS}
            assert (can["chat"], can["embeddings"]) == (chats, name in EMBEDS), model


CASES = [
    Case("a chat is answered", chat(), Expected(200, Completion(SAID), JSON)),
    Case(
        "a chat streams as server-sent events with an end",
        chat(stream=True),
        Expected(200, Events(tuple(SAID.split())), EVENTS_IN_UTF8),
    ),
    *(
        Case(f"an alias chats: {alias} {kind}", chat(model=alias, **more), Expected(200, body, kind))
        for alias, more, body, kind in (
            ("gpt-4o-mini", {}, Completion(SAID), JSON),
            ("meta-llama/Llama-3.1:8b", {}, Completion(SAID), JSON),
            (
                "gpt-4o-mini",
                {"stream": True, "seed": 2**64},
                Events(tuple(SAID.split())),
                EVENTS_IN_UTF8,
            ),
        )
    ),
    *(
        Case(
            f"an alias is compared as it stands: {name}",
            chat(model=name),
            refused(openai.MODEL_NOT_FOUND, f"Available: {', '.join(CHATS)}."),
        )
        for name in ("GPT-4o-mini", "gpt-4o-mini ", "gpt-4o")
    ),
    *(
        Case(
            f"an alias is described, with its entry as root: {path}",
            Request(f"{openai.MODELS_PATH}/{path}", b"", "GET"),
            Expected(200, Json({"id": alias, "root": name, "display_name": alias, "object": "model"}), JSON),
        )
        for path, alias, name in (
            ("gpt-4o-mini", "gpt-4o-mini", "chat"),
            ("meta-llama%2FLlama-3.1:8b", "meta-llama/Llama-3.1:8b", "translated"),
            ("meta-llama%2FLlama-3.1%3A8b", "meta-llama/Llama-3.1:8b", "translated"),
        )
    ),
    Case(
        "a chat with an unknown model is 404 and lists the models",
        chat(model="nope"),
        refused(openai.MODEL_NOT_FOUND, "chat"),
    ),
    Case(
        "a model that does not chat is unknown to chats",
        chat(model="echo"),
        refused(openai.MODEL_NOT_FOUND, "chat"),
    ),
    *(
        Case(f"a chat without a model is 400: {body!r}", _broken(body), refused(openai.MODEL_MISSING, "chat"))
        for body in (b"{}", b'{"model": 7}')
    ),
    *(
        Case(
            f"a chat that is no JSON object is 400: {body!r}",
            _broken(body),
            refused(errors.INVALID_BODY, *says),
        )
        for body, says in (
            (b"", ["empty"]),
            (b"not JSON", ["line 1, column 1"]),
            (b"[]", ["not an array"]),
            (b'{"model": "chat",}', ["trailing comma", "line 1, column 18"]),
            (b'{"model": "chat", "seed": NaN}', ["NaN"]),
            (rb'{"model": "chat", "user": "\ud800"}', ["half of a surrogate pair", "line 1, column 28"]),
            (b"\x1f\x8b\x08\x00", ["gzip"]),
        )
    ),
    Case(
        "what JSON allows is taken: an integer of 20 digits, hundreds of levels",
        _broken(
            b'{"model": "chat", "seed": 18446744073709551615, "deep": '
            + b"[" * DEEP
            + b"]" * DEEP
            + b', "messages": [{"role": "user", "content": "it is so"}]}'
        ),
        Expected(200, Completion(SAID), JSON),
    ),
    Case(
        "the models that OpenAI's clients may call are listed",
        Request(openai.MODELS_PATH, b"", "GET"),
        Expected(200, Listed(LISTED), JSON),
    ),
    Case(
        "HEAD of the list is GET without the body",
        Request(openai.MODELS_PATH, b"", "HEAD"),
        Expected(200, Bytes(b""), JSON),
    ),
    Case(
        "without /v1 OpenAI's clients are given the same list",
        Request("/models", b"", "GET"),
        Expected(200, Listed(LISTED), JSON),
    ),
    Case(
        "one of the models is described",
        Request(f"{openai.MODELS_PATH}/chat", b"", "GET"),
        Expected(200, Json({"id": "chat", "object": "model", "owned_by": "centralized-ml-api"}), JSON),
    ),
    Case(
        "an unknown model of the list is 404 and lists the models",
        Request(f"{openai.MODELS_PATH}/nope", b"", "GET"),
        refused(openai.MODEL_NOT_FOUND, f"Available: {', '.join(LISTED)}."),
    ),
    *(
        Case(
            f"two names at once are an unknown model of the list: {names}",
            Request(f"{openai.MODELS_PATH}/{names}", b"", "GET"),
            refused(openai.MODEL_NOT_FOUND, f"Available: {', '.join(LISTED)}."),
        )
        for names in ("chat|translated", "chat%7Ctranslated", "chat,translated")
    ),
    Case(
        "another method is 405 with Allow: GET /v1/chat/completions",
        Request(openai.CHAT_PATH, b"", "GET"),
        Expected(405, content_type=JSON, headers=_ALLOW),
    ),
    Case(
        "a preflight succeeds: /v1/chat/completions",
        Request(openai.CHAT_PATH, b"", "OPTIONS"),
        Expected(204, headers={"access-control-allow-headers": "*, Authorization"}),
    ),
]
