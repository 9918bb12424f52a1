"""What a provider gets of a body: its own name of the model, and bounds; all else as it came. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.json_body import with_members
from centralized_ml_api.local.admission.needs import OUTPUT_LIMITS, list_bounding
from centralized_ml_api.plan.apis import CHAT, COMPLETIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.local.admission.json_body import JsonBody
    from centralized_ml_api.local.admission.terms import EntryTerms

PROVIDER = "provider"

_WITH_STREAM_OPTIONS = (*CHAT.paths, *COMPLETIONS.paths)


def adapt_to_provider(body: JsonBody, entry: EntryTerms, bounds: Mapping[str, int]) -> bytes:
    """Returns the body that the provider gets.

    Args:
        body: the body that came.
        entry: what holds for the call.
        bounds: members that it must have besides.

    Raises:
        BodyError: a member that is read here is there twice, or in other letters.
    """
    values: dict[str, Any] = {"model": entry.model, **_limited(body.document, entry), **bounds}
    if adds_usage(body.document, entry):
        options = body.document.get("stream_options")
        values["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return with_members(body, values, watched=(*list_bounding(entry.path), "stream_options"))


def adds_usage(document: dict[str, Any], entry: EntryTerms) -> bool:
    """Returns whether a stream must be asked for its tokens, because its caller has not.

    Args:
        document: the body, parsed.
        entry: what holds for the call.
    """
    if not entry.takes_stream_options or entry.path not in _WITH_STREAM_OPTIONS:
        return False
    options = document.get("stream_options")
    asked = isinstance(options, dict) and options.get("include_usage") is True
    return document.get("stream") is True and not asked


def _limited(document: dict[str, Any], entry: EntryTerms) -> dict[str, int]:
    """Returns the members that bound the answer, where the body names more, or nothing."""
    names, most = OUTPUT_LIMITS.get(entry.path, ()), entry.max_output_tokens
    if most is None or not names:
        return {}
    named = {name: document[name] for name in names if document.get(name) is not None}
    if not named:
        unset = next((name for name in names if name in document), None)
        preferred = entry.limit_key if entry.limit_key in names else names[0]
        return {unset or preferred: most}
    return {name: most for name, value in named.items() if not _is_within(value, most)}


def _is_within(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value <= most
