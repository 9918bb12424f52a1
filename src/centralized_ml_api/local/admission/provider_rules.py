"""What a provider gets of a body: its own name of the model, and bounds; all else as it came. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.json_body import BodyError, with_members
from centralized_ml_api.local.admission.needs import OUTPUT_LIMITS, bound_answer, list_bounding
from centralized_ml_api.plan.apis import CHAT, COMPLETIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.admission.json_body import JsonBody
    from centralized_ml_api.local.admission.terms import EntryTerms

PROVIDER = "provider"

OTHER_MODELS = "models"
"""Models that a provider may take instead, at their own prices.

Source: https://openrouter.ai/docs/features/model-routing
"""

WITH_STREAM_OPTIONS = (*CHAT.paths, *COMPLETIONS.paths)
"""The paths whose streams tell their tokens where `stream_options` ask for it."""


def adapt_to_provider(
    body: JsonBody, entry: EntryTerms, bounds: Mapping[str, int], measured: tuple[str, ...] = ()
) -> bytes:
    """Returns the body that the provider gets.

    Args:
        body: The body that came.
        entry: What holds for the call.
        bounds: Members that it must have besides.
        measured: Members by which the call was measured, which may not be there twice either.

    Raises:
        BodyError: A member that is read here is there twice, or in other letters; or it names other models
            to fall back to, which the entry does not have.
    """
    if body.document.get(OTHER_MODELS):
        raise BodyError(f"'{OTHER_MODELS}' is not taken: the model of this path is the one that answers.")
    values: dict[str, Any] = {"model": entry.model, **_limited(body.document, entry), **bounds}
    if adds_usage(body.document, entry):
        options = body.document.get("stream_options")
        values["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    watched = (*list_bounding(entry.path), *measured, "stream_options", OTHER_MODELS)
    return with_members(body, values, watched=watched)


def adds_usage(document: dict[str, Any], entry: EntryTerms) -> bool:
    """Returns whether a stream must be asked for its tokens, because its caller has not.

    Args:
        document: The body, parsed.
        entry: What holds for the call.
    """
    if not entry.takes_stream_options or entry.path not in WITH_STREAM_OPTIONS:
        return False
    options = document.get("stream_options")
    asked = isinstance(options, dict) and options.get("include_usage") is True
    return document.get("stream") is True and not asked


def _limited(document: dict[str, Any], entry: EntryTerms) -> dict[str, int]:
    """Returns the members that keep the answer to the entry's limit, if it has one."""
    if entry.max_output_tokens is None or entry.path not in OUTPUT_LIMITS:
        return {}
    return bound_answer(document, entry)[1]
