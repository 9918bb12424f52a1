"""Encodes weighted prompts, and blends their embeddings by weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from styles import add_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from image_request import ImageRequest, Prompt

_NAMES = ("prompt_embeds", "pooled_prompt_embeds")
"""Arguments of a pipeline's call; only Stable Diffusion XL has the second."""


def encode_prompts(pipeline: Any, request: ImageRequest) -> dict[str, Any]:
    """Returns the prompts as arguments of the pipeline's call.

    Positive weights count in proportion to each other, and so do negative ones. CLIP reads the first 77
    tokens of each prompt.
    """
    wanted = [prompt for prompt in request.prompts if prompt.weight > 0]
    unwanted = [prompt for prompt in request.prompts if prompt.weight < 0]
    arguments = dict(zip(_NAMES, _blend(pipeline, wanted, request.style), strict=False))
    if unwanted:
        blended = _blend(pipeline, unwanted, None)
        arguments |= {f"negative_{name}": part for name, part in zip(_NAMES, blended, strict=False)}
    return arguments


def _blend(pipeline: Any, prompts: Sequence[Prompt], style: str | None) -> list[Any]:
    """Returns the weighted mean of the encoded prompts: one tensor, or two with pooled embeddings."""
    encoded = [_encode(pipeline, add_style(prompt.text, style)) for prompt in prompts]
    shares = [prompt.weight / sum(other.weight for other in prompts) for prompt in prompts]
    return [
        sum(share * part for share, part in zip(shares, parts, strict=True))
        for parts in zip(*encoded, strict=True)
    ]


def _encode(pipeline: Any, text: str) -> list[Any]:
    # One or two pairs (wanted, unwanted): of tokens, then of the whole text. Unwanted ones are None here.
    encoded = pipeline.encode_prompt(
        prompt=text,
        device=pipeline._execution_device,  # noqa: SLF001  as the pipeline itself does
        num_images_per_prompt=1,
        do_classifier_free_guidance=False,
    )
    return [part for part in encoded if part is not None]
