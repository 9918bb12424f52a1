"""Reads the request body of Stability's text-to-image API.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-1-0-text-image.html ,
https://github.com/Stability-AI/rest-api-support (the OpenAPI document: TextToImageRequestBody)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fields import Fields
from samplers import SCHEDULERS
from styles import STYLES

SIDE = 64
"""Width and height are multiples of this."""
LEAST_SIDE, MOST_SIDE = 128, 1536
MOST_PIXELS = 1024 * 1024
MOST_STEPS = 150
MOST_SAMPLES = 10
MOST_CFG_SCALE = 35
MOST_SEED = 2**32 - 1
MOST_CHARACTERS = 2000
MOST_WEIGHT = 100
MOST_PROMPTS = 16
CLIP_GUIDANCE = ("FAST_BLUE", "FAST_GREEN", "NONE", "SIMPLE", "SLOW", "SLOWER", "SLOWEST")

DEFAULT_SIDE = 512
DEFAULT_STEPS = 30
DEFAULT_CFG_SCALE = 7.0

FIELDS = (
    "text_prompts",
    "height",
    "width",
    "steps",
    "cfg_scale",
    "seed",
    "sampler",
    "samples",
    "style_preset",
    "clip_guidance_preset",
    "extras",
)
_PROMPT_FIELDS = ("text", "weight")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text and its weight; a negative weight keeps the text out of the image."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What to draw. Sides are in pixels; `seed` 0 means a random seed, `sampler` None the model's own."""

    prompts: tuple[Prompt, ...]
    height: int
    width: int
    steps: int
    cfg_scale: float
    seed: int
    samples: int
    sampler: str | None
    style: str | None


def list_seeds(first: int, samples: int) -> list[int]:
    """Returns consecutive seeds from `first`; the largest is followed by 1, because 0 means random."""
    return [(first - 1 + number) % MOST_SEED + 1 for number in range(samples)]


def read_request(body: str | bytes) -> ImageRequest:
    """Reads and checks a body.

    `clip_guidance_preset` and `extras` are checked but have no effect.

    Raises:
        TypeError: It is JSON, but not an object.
        ValueError: It is not JSON, or fields are wrong; the message names each, with the allowed values.
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise TypeError('the body must be an object, such as {"text_prompts": [{"text": "a cloud"}]}')
    fields = Fields(values)
    request = _read_fields(fields)
    if fields.problems:
        raise ValueError("; ".join(fields.problems))
    return request


def _read_fields(fields: Fields) -> ImageRequest:
    request = ImageRequest(
        prompts=_read_prompts(fields),
        height=_read_side(fields, "height"),
        width=_read_side(fields, "width"),
        steps=fields.whole("steps", DEFAULT_STEPS, 1, MOST_STEPS),
        cfg_scale=fields.number("cfg_scale", DEFAULT_CFG_SCALE, 0, MOST_CFG_SCALE),
        seed=fields.whole("seed", 0, 0, MOST_SEED),
        samples=fields.whole("samples", 1, 1, MOST_SAMPLES),
        sampler=fields.choice("sampler", SCHEDULERS),
        style=fields.choice("style_preset", STYLES),
    )
    _check_pixels(fields, request)
    fields.choice("clip_guidance_preset", CLIP_GUIDANCE)
    if not isinstance(fields.get("extras") or {}, dict):
        fields.refuse("extras", fields.get("extras"), "an object")
    fields.refuse_others(FIELDS)
    return request


def _read_side(fields: Fields, name: str) -> int:
    side = fields.whole(name, DEFAULT_SIDE, LEAST_SIDE, MOST_SIDE)
    if side % SIDE:
        low = side - side % SIDE
        fields.refuse(name, side, f"a multiple of {SIDE}, such as {low} or {low + SIDE}")
    return side


def _check_pixels(fields: Fields, request: ImageRequest) -> None:
    if request.height * request.width > MOST_PIXELS:
        size = f"{request.width}x{request.height}"
        fields.refuse("width x height", size, f"at most {MOST_PIXELS} pixels, such as 1024x1024 or 1344x768")


def _read_prompts(fields: Fields) -> tuple[Prompt, ...]:
    values = fields.get("text_prompts")
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_PROMPTS:
        allowed = f'a list of 1 to {MOST_PROMPTS} prompts, such as [{{"text": "a cloud", "weight": 1}}]'
        fields.refuse("text_prompts", values, allowed)
        return ()
    prompts = tuple(_read_prompt(fields, number, value) for number, value in enumerate(values))
    if all(prompt.weight <= 0 for prompt in prompts):
        fields.problems.append("text_prompts must have at least one prompt with a weight above 0")
    return prompts


def _read_prompt(outer: Fields, number: int, value: Any) -> Prompt:
    place = f"text_prompts[{number}]"
    if not isinstance(value, dict):
        outer.refuse(place, value, 'an object, such as {"text": "a cloud", "weight": 1}')
        return Prompt("", 1)
    fields = Fields(value, f"{place}.")
    prompt = Prompt(_read_text(fields), fields.number("weight", 1, -MOST_WEIGHT, MOST_WEIGHT))
    fields.refuse_others(_PROMPT_FIELDS)
    outer.problems += fields.problems
    return prompt


def _read_text(fields: Fields) -> str:
    text = fields.get("text")
    if isinstance(text, str) and 1 <= len(text) <= MOST_CHARACTERS and _is_text(text):
        return text
    fields.refuse("text", text, f"a text of 1 to {MOST_CHARACTERS} characters")
    return ""


def _is_text(text: str) -> bool:
    """Returns whether all characters are complete: JSON allows halves, tokenizers do not."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
