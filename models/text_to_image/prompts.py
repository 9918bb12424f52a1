"""Prompts with weights: what the text encoders make of each, blended by weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from styles import add_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from image_request import ImageRequest, Prompt

_NAMES = ("prompt_embeds", "pooled_prompt_embeds")
"""The arguments of a pipeline's call; the second one is known to Stable Diffusion XL alone."""


def encode_prompts(pipeline: Any, request: ImageRequest) -> dict[str, Any]:
    """The arguments of the pipeline's call that stand for the prompts.

    Weights count in proportion: among the prompts above zero, and among those below. CLIP reads the first 77
    tokens of each.
    """
    wanted = [prompt for prompt in request.prompts if prompt.weight > 0]
    unwanted = [prompt for prompt in request.prompts if prompt.weight < 0]
    arguments = dict(zip(_NAMES, _blend(pipeline, wanted, request.style), strict=False))
    if unwanted:
        blended = _blend(pipeline, unwanted, None)
        arguments |= {f"negative_{name}": part for name, part in zip(_NAMES, blended, strict=False)}
    return arguments


def _blend(pipeline: Any, prompts: Sequence[Prompt], style: str | None) -> list[Any]:
    """The mean of what is encoded, weighted; one tensor, or two where the pipeline has pooled ones."""
    encoded = [_encode(pipeline, add_style(prompt.text, style)) for prompt in prompts]
    shares = [prompt.weight / sum(other.weight for other in prompts) for prompt in prompts]
    return [
        sum(share * part for share, part in zip(shares, parts, strict=True))
        for parts in zip(*encoded, strict=True)
    ]


def _encode(pipeline: Any, text: str) -> list[Any]:
    # A pair, or two pairs: (wanted, unwanted) of tokens, then of the whole text. Unwanted ones are None here.
    encoded = pipeline.encode_prompt(
        prompt=text,
        device=pipeline._execution_device,  # noqa: SLF001  as the pipeline itself asks for it
        num_images_per_prompt=1,
        do_classifier_free_guidance=False,
    )
    return [part for part in encoded if part is not None]
