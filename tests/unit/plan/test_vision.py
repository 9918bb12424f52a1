"""Which models see pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.plan.engines import LlamaCppServing, UrlServing
from centralized_ml_api.plan.types import ExistingEndpoint, LocalPlan, ModelDeployment
from centralized_ml_api.plan.vision import find_local_vision, find_vision, sees_pictures

LLAMA = LlamaCppServing(parse_weights("m.gguf"), 2048, "auto")
PART = {"type": "image_url", "image_url": {"url": "data:,"}}
PICTURE = {"messages": [{"role": "user", "content": [{"type": "text", "text": "What?"}, PART]}]}


def entry(name: str, serving: Any = None, sample: Any = None) -> ModelDeployment:
    local = LocalPlan(serving, 1, {}) if serving else None
    return ModelDeployment(
        name,
        name,
        ExistingEndpoint(),
        (),
        None,
        {},
        "api",
        (),
        None,
        description="",
        sample=sample,
        local=local,
    )


def test_what_the_engine_knows_counts_before_the_sample() -> None:
    entries = (
        entry("blind", LLAMA, PICTURE),
        entry("sees", replace(LLAMA, projector=parse_weights("p.gguf"))),
        entry("shown", UrlServing("http://a", None), PICTURE),
        entry("unknown", UrlServing("http://a", None)),
        entry("elsewhere"),
    )
    assert find_local_vision(entries) == {"blind": False, "sees": True, "shown": True}


def test_the_sample_says_it_or_the_task() -> None:
    entries = (entry("shown", sample=PICTURE), entry("vlm"), entry("llm"), entry("none"))
    assert find_vision(entries, {"vlm": "vlm", "llm": "llm"}) == {"shown": True, "vlm": True}
    assert find_vision(entries) == {"shown": True}


@pytest.mark.parametrize(
    ("sample", "task", "sees"),
    [
        (PICTURE, None, True),
        (None, "vlm", True),
        (None, "llm", False),
        ({"messages": [{"content": ["odd", None]}, "odd"]}, None, False),
        ({"messages": [{"content": "What?"}]}, None, False),
        ("text", None, False),
    ],
)
def test_a_picture_in_the_sample_tells(sample: Any, task: str | None, *, sees: bool) -> None:
    assert sees_pictures(sample, task) is sees
