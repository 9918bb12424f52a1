"""Pictures for llama.cpp: passed on where the model sees them, and nothing that is not one."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.local.admission.body_rules import build_passed_on
from centralized_ml_api.local.admission.json_body import BodyError, JsonBody
from centralized_ml_api.local.admission.pictures import PICTURE_TOKENS, PICTURES
from centralized_ml_api.local.admission.prompts import RecentPrompts
from centralized_ml_api.local.admission.terms import LLAMA_CPP, EntryTerms
from centralized_ml_api.plan.apis import CHAT, COUNT_TOKENS_PATH, MESSAGES, RESPONSES

(CHATS,) = CHAT.paths
(ANSWERS,) = RESPONSES.paths
TEXT = {"type": "text", "text": "What is it?"}
TERMS = EntryTerms(body_rules=LLAMA_CPP, slots=4, context=2048, max_output_tokens=64, takes_pictures=True)


def png(width: int = 2, height: int = 3, more: bytes = b"") -> bytes:
    """Returns the beginning of a PNG, which is all that the gateway reads."""
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + more


def jpeg(width: int = 2, height: int = 3, marker: int = 0xC2) -> bytes:
    """Returns the beginning of a JPEG: an empty comment, then the frame."""
    frame = struct.pack(">BBHBHH", 0xFF, marker, 11, 8, height, width)
    return b"\xff\xd8" + b"\xff\xfe\x00\x02" + frame + bytes(6)


def url(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def write(path: str, *urls: str) -> dict[str, Any]:
    """Returns a body with a question and pictures, as clients of that path write it."""
    if path == CHATS:
        parts: list[Any] = [{"type": "image_url", "image_url": {"url": one, "detail": "low"}} for one in urls]
    elif path == ANSWERS:
        parts = [{"type": "input_image", "image_url": one, "detail": "low"} for one in urls]
    else:
        parts = [{"type": "image", "cache_control": {}, "source": source(one)} for one in urls]
    words = {"type": "input_text" if path == ANSWERS else "text", "text": "What is it?"}
    before = {"role": "assistant", "content": "Yes?"}
    return {
        "input" if path == ANSWERS else "messages": [before, {"role": "user", "content": [words, *parts]}]
    }


def source(written: str) -> dict[str, str]:
    media_type, _, data = written.removeprefix("data:").partition(";base64,")
    if not data:
        return {"type": "url", "url": written}
    return {"type": "base64", "media_type": media_type, "data": data}


def pass_on(path: str, body: dict[str, Any], **terms: Any) -> dict[str, Any]:
    entry = replace(TERMS, path=path, **terms)
    passed_on = build_passed_on(JsonBody(json.dumps(body), body), entry)
    assert passed_on is not None
    return dict(json.loads(passed_on))


@pytest.mark.parametrize("content", [png(), jpeg(), png(4000, 4000)])
def test_a_picture_reaches_the_server_at_each_path(content: bytes) -> None:
    written = url(content, "image/jpeg" if content.startswith(b"\xff") else "image/png")
    chat = pass_on(CHATS, write(CHATS, written))["messages"][1]["content"]
    assert chat == [TEXT, {"type": "image_url", "image_url": {"url": written}}]
    answer = pass_on(ANSWERS, write(ANSWERS, written))["input"][1]["content"]
    assert answer[1] == {"type": "input_image", "image_url": written}
    for path in MESSAGES.paths:
        message = pass_on(path, write(path, written))["messages"][1]["content"]
        assert message == [TEXT, {"type": "image", "source": source(written)}]
    assert COUNT_TOKENS_PATH in MESSAGES.paths


def test_a_picture_stays_where_it_was_although_reasoning_before_it_is_left_out() -> None:
    body = write(ANSWERS, url(png()))
    body["input"].insert(0, {"type": "reasoning", "summary": []})
    said = pass_on(ANSWERS, body)["input"]
    assert [len(item["content"]) for item in said] == [1, 2]
    assert said[1]["content"][1]["type"] == "input_image"


@pytest.mark.parametrize("path", [CHATS, ANSWERS, MESSAGES.paths[0]])
@pytest.mark.parametrize(
    "written",
    [
        "",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        url(b"RIFF" + bytes(40)),
        url(png(), "video/mp4"),
        url(png(), "image/svg+xml"),
        url(png())[:-1],
        url(png()).replace("base64,", "base64,*"),
        url(png()[:20]),
        url(png(0, 3)),
        url(jpeg()[:9], "image/jpeg"),
        url(jpeg(marker=0xC4), "image/jpeg"),
    ],
)
def test_what_is_no_picture_in_the_body_is_refused(path: str, written: str) -> None:
    with pytest.raises(BodyError, match=r"content\[1\]' must be a PNG or JPEG in the body itself"):
        pass_on(path, write(path, written))


def test_a_picture_that_takes_too_much_memory_is_refused() -> None:
    with pytest.raises(BodyError, match="has 4001 x 4000 pixels; a picture may have 16,000,000"):
        pass_on(CHATS, write(CHATS, url(png(4001, 4000))))
    with pytest.raises(BodyError, match="has 65535 x 65535 pixels"):
        pass_on(CHATS, write(CHATS, url(jpeg(65535, 65535), "image/jpeg")))


def test_pictures_that_take_too_much_memory_together_are_refused() -> None:
    large = url(png(4000, 4000))
    pass_on(CHATS, write(CHATS, *[large] * 3))
    with pytest.raises(BodyError, match=r"content\[4\]' brings the pictures to 48,000,006 pixels"):
        pass_on(CHATS, write(CHATS, *[large] * 3, url(png())))


def test_there_may_be_only_so_many() -> None:
    pass_on(CHATS, write(CHATS, *[url(png())] * PICTURES))
    with pytest.raises(BodyError, match=f"is more than {PICTURES} pictures"):
        pass_on(CHATS, write(CHATS, *[url(png())] * (PICTURES + 1)))


def test_a_model_without_a_projector_reads_text_alone() -> None:
    with pytest.raises(BodyError, match="reads text alone"):
        pass_on(CHATS, write(CHATS, url(png())), takes_pictures=False)


def test_texts_are_held_to_the_context_as_before() -> None:
    body = write(CHATS, url(png(more=bytes(200_000))))
    assert len(json.dumps(pass_on(CHATS, body))) > 200_000
    body["messages"][1]["content"].append({"type": "text", "text": "data:image/png;base64," + "A" * 200_000})
    with pytest.raises(BodyError, match="more than this model's context"):
        pass_on(CHATS, body)


def test_a_picture_counts_as_some_hundred_tokens_whatever_its_bytes() -> None:
    recent, entry = RecentPrompts(), replace(TERMS, path=CHATS)
    small, large = (
        recent.measure("chat", entry, write(CHATS, url(png(more=bytes(size))))) for size in (8, 80_000)
    )
    assert PICTURE_TOKENS < small.tokens < 2 * PICTURE_TOKENS
    assert abs(small.tokens - large.tokens) <= 16
    assert small.whole != large.whole
