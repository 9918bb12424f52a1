"""What is sent to try a model: the config's sample, a file's bytes, or what the engine is known to take."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.openapi import build_openapi
from centralized_ml_api.cli.request import Body, load_sample_body
from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.engines import CHAT_SAMPLE
from centralized_ml_api.plan.sample import (
    SampleFile,
    guess_ending,
    guess_media_type,
    media_type_of,
    sample_file_of,
    sample_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan

LLAMA = {"engine": "llama.cpp", "weights": "https://example.com/model.gguf"}
CAT = {"$file": "cat.png"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cat.png").write_bytes(b"cat")
    return tmp_path


def plan(folder: Path, **entry: Any) -> ApiPlan:
    path = folder / "models.json"
    whole = {"name": "a", "integration": {"type": "api"}, **entry}
    path.write_text(json.dumps({"models": [], "endpoints": [whole]}))
    return build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("entry", "sent"),
    [
        ({"sample": {"a": 1}}, Body(b'{"a": 1}', "application/json")),
        ({"sample": "text"}, Body(b'"text"', "application/json")),
        ({"sample": "text", "takes": "text/plain"}, Body(b"text", "text/plain")),
        ({"sample": CAT}, Body(b"cat", "image/png")),
        ({"sample": CAT, "takes": "image/x-cat"}, Body(b"cat", "image/x-cat")),
        ({"local": LLAMA}, Body(json.dumps(CHAT_SAMPLE).encode(), "application/json")),
        ({"local": LLAMA, "sample": CAT}, Body(b"cat", "image/png")),
        ({"sample": {"a": 1}, "gives": "image/png"}, Body(b'{"a": 1}', "application/json", "image/png")),
        ({}, None),
    ],
)
def test_a_sample_is_sent_as_what_it_is(folder: Path, entry: dict[str, Any], sent: Body | None) -> None:
    made = plan(folder, **entry)
    assert load_sample_body(made.deployments[0], made.folders) == sent


def test_a_file_is_no_json_sample(folder: Path) -> None:
    (deployment,) = plan(folder, sample=CAT).deployments
    assert sample_of(deployment) is None
    assert sample_file_of(deployment) == SampleFile("cat.png", "image/png")
    assert media_type_of(deployment) == "image/png"


def test_the_openapi_document_says_that_a_file_is_sent_and_not_where_it_lies(folder: Path) -> None:
    document = build_openapi(plan(folder, sample=CAT))
    content = document["paths"]["/a"]["post"]["requestBody"]["content"]
    assert content["image/png"] == {"schema": {"type": "string", "format": "binary"}}
    assert "cat.png" not in json.dumps(document)


@pytest.mark.parametrize(
    ("media_type", "ending"),
    [(" Audio/WAV; rate=8000", ".wav"), ("image/png", ".png"), ("application/x-npy", ".npy"), ("a/b", None)],
)
def test_the_ending_of_a_file_is_that_of_its_type_whatever_its_parameters(
    media_type: str, ending: str | None
) -> None:
    assert guess_ending(media_type) == ending


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a/spoken.wav", "audio/wav"),
        ("a.npy", "application/x-npy"),
        ("a.webp", "image/webp"),
        ("a.png", "image/png"),
        ("a", None),
    ],
)
def test_the_type_of_a_file_is_known_by_its_ending(name: str, media_type: str | None) -> None:
    assert guess_media_type(name) == media_type
