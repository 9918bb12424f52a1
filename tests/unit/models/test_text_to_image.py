"""What `models/text_to_image` takes and refuses: all that needs no torch."""

from __future__ import annotations

import json
from typing import Any

import pytest
from image_request import FIELDS, MOST_SEED, ImageRequest, Prompt, list_seeds, read_request
from pace import Pace, TooSlowError
from samplers import SCHEDULERS
from settings import Settings, load_settings
from styles import STYLES, add_style

DOCUMENTED = {
    "cfg_scale": 7,
    "height": 512,
    "width": 512,
    "steps": 30,
    "sampler": "K_DPMPP_2M",
    "text_prompts": [{"text": "A computer in the clouds", "weight": 1}],
}
"""The body that the original's documentation shows."""


def read(**more: Any) -> ImageRequest:
    return read_request(json.dumps(DOCUMENTED | more))


def refusal(**more: Any) -> str:
    with pytest.raises(ValueError, match=r"\w") as caught:
        read(**more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("first", "seeds"),
    [(1, [1, 2, 3]), (MOST_SEED - 1, [MOST_SEED - 1, MOST_SEED, 1]), (MOST_SEED, [MOST_SEED, 1, 2])],
)
def test_no_sample_has_the_seed_that_asks_for_a_random_one(first: int, seeds: list[int]) -> None:
    assert list_seeds(first, 3) == seeds


def test_the_originals_documented_body() -> None:
    assert read() == ImageRequest(
        prompts=(Prompt("A computer in the clouds", 1.0),),
        height=512,
        width=512,
        steps=30,
        cfg_scale=7.0,
        seed=0,
        samples=1,
        sampler="K_DPMPP_2M",
        style=None,
    )


def test_a_prompt_alone_is_enough_and_null_is_nothing() -> None:
    bare = read_request(
        b'{"text_prompts": [{"text": "a cloud", "weight": null}], "seed": null, "sampler": null}'
    )
    assert (bare.height, bare.width, bare.steps, bare.cfg_scale) == (512, 512, 30, 7.0)
    assert (bare.sampler, bare.style, bare.samples) == (None, None, 1)


def test_every_documented_field_is_taken() -> None:
    request = read(
        seed=4294967295,
        samples=2,
        style_preset="3d-model",
        clip_guidance_preset="FAST_BLUE",
        extras={"a": 1},
        text_prompts=[{"text": "sky"}, {"text": "rain", "weight": -0.5}],
    )
    assert (request.seed, request.samples, request.style) == (4294967295, 2, "3d-model")
    assert request.prompts == (Prompt("sky", 1.0), Prompt("rain", -0.5))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("steps", 0, "steps is 0; it must be a whole number from 1 to 150"),
        ("steps", 151, "steps is 151; it must be a whole number from 1 to 150"),
        ("steps", True, "steps is true; it must be a whole number"),
        ("steps", 30.5, "steps is 30.5; it must be a whole number"),
        ("steps", "30", 'steps is "30"; it must be a whole number'),
        ("seed", -1, "seed is -1; it must be a whole number from 0 to 4294967295"),
        ("seed", 4294967296, "from 0 to 4294967295"),
        ("samples", 11, "samples is 11; it must be a whole number from 1 to 10"),
        ("cfg_scale", 36, "cfg_scale is 36; it must be a number from 0 to 35"),
        ("cfg_scale", float("nan"), "cfg_scale is NaN; it must be a number"),
        ("cfg_scale", False, "cfg_scale is false; it must be a number"),
        ("height", 64, "height is 64; it must be a whole number from 128 to 1536"),
        ("width", 500, "width is 500; it must be a multiple of 64, such as 448 or 512"),
        ("width", 10**400, "it must be a whole number from 128 to 1536"),
        ("sampler", "EULER", 'sampler is "EULER"; it must be one of DDIM, DDPM, K_DPMPP_2M'),
        ("sampler", ["DDIM"], "it must be one of DDIM"),
        ("style_preset", "baroque", "it must be one of 3d-model, analog-film"),
        ("clip_guidance_preset", "FAST", "it must be one of FAST_BLUE"),
        ("extras", [1], "extras is [1]; it must be an object"),
        ("stepps", 4, "stepps is not a field; did you mean steps?"),
        ("init_image", "…", "init_image is not a field; known are text_prompts"),
        ("text_prompts", None, "text_prompts is null; it must be a list of 1 to 16 prompts"),
        ("text_prompts", [], "it must be a list of 1 to 16 prompts"),
        ("text_prompts", ["a"], 'text_prompts[0] is "a"; it must be an object'),
        ("text_prompts", [{"weight": 1}], "text_prompts[0].text is null; it must be a text of 1 to 2000"),
        ("text_prompts", [{"text": "a" * 2001}], "it must be a text of 1 to 2000 characters"),
        ("text_prompts", [{"text": "\ud800"}], "it must be a text"),
        (
            "text_prompts",
            [{"text": "a", "weight": "1"}],
            'text_prompts[0].weight is "1"; it must be a number',
        ),
        (
            "text_prompts",
            [{"text": "a", "wait": 1}],
            "text_prompts[0].wait is not a field; did you mean weight?",
        ),
        ("text_prompts", [{"text": "a", "weight": 0}], "at least one prompt with a weight above 0"),
    ],
)
def test_a_wrong_value_names_its_field_and_what_is_allowed(field: str, value: Any, words: str) -> None:
    assert words in refusal(**{field: value})


def test_an_image_that_is_too_large_as_a_whole() -> None:
    assert 'width x height is "1088x1024"; it must be at most 1048576 pixels' in refusal(
        width=1088, height=1024
    )
    assert read(width=1344, height=768).width == 1344


def test_every_mistake_is_named_at_once() -> None:
    words = refusal(steps=0, height=1, foo=2)
    assert [part.split()[0] for part in words.split("; ") if " is " in part] == ["height", "steps", "foo"]


def test_long_values_are_not_repeated_whole() -> None:
    assert len(refusal(sampler="x" * 100_000)) < 400


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_not_json_says_so(body: bytes) -> None:
    with pytest.raises(ValueError, match="the body is not JSON"):
        read_request(body)


@pytest.mark.parametrize("body", ["[]", '"a cloud"', "null"])
def test_what_is_not_an_object_is_shown_one(body: str) -> None:
    with pytest.raises(TypeError, match="must be an object, such as"):
        read_request(body)


def test_the_names_are_those_of_the_api() -> None:
    assert len(SCHEDULERS) == 10
    assert len(STYLES) == 17
    assert len(FIELDS) == 11


def test_a_style_adds_words() -> None:
    assert add_style("a cat", "origami") == "a cat, folded paper, origami"
    assert add_style("a cat", None) == "a cat"


def test_what_the_owner_decides_comes_from_the_environment() -> None:
    environment = {
        "TEXT_TO_IMAGE_MAX_STEPS": "4",
        "TEXT_TO_IMAGE_CFG_SCALE": "0",
        "TEXT_TO_IMAGE_TIME_LIMIT_SECONDS": "120",
    }
    assert load_settings(environment) == Settings(4, 0.0, 120.0)
    assert load_settings({}) == Settings(None, None, 28.0)


def test_a_request_is_given_up_as_soon_as_it_cannot_be_ready() -> None:
    pace = Pace(limit_seconds=0, steps=30, images=1)
    with pytest.raises(TooSlowError, match=r"steps is 30; .* the API waits 29 s: ask for a smaller image"):
        pace.step(30)
    assert TooSlowError.status_code == 400


def test_a_request_that_will_be_ready_goes_on() -> None:
    pace = Pace(limit_seconds=3600, steps=30, images=2)
    for _ in range(60):
        pace.step(30)
