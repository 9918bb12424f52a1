"""What an entry does with a body: checks it, cuts it to limits, writes its server's model into it. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import body_too_large_for_model
from centralized_ml_api.local.admission.anthropic_rules import (
    adapt_anthropic_messages,
    check_anthropic_messages,
)
from centralized_ml_api.local.admission.completion_rules import adapt_completion, check_completion
from centralized_ml_api.local.admission.json_body import BodyError, JsonBody, with_members, with_model
from centralized_ml_api.local.admission.llama_cpp_rules import adapt_llama_cpp_request, check_chat
from centralized_ml_api.local.admission.needs import list_measured
from centralized_ml_api.local.admission.pictures import Picture, put_pictures, take_pictures
from centralized_ml_api.local.admission.provider_rules import PROVIDER, adapt_to_provider
from centralized_ml_api.local.admission.responses_rules import adapt_response, check_response
from centralized_ml_api.local.admission.terms import LLAMA_CPP
from centralized_ml_api.local.admission.violation import LlamaCppLimits
from centralized_ml_api.plan.apis import CHAT, COMPLETIONS, MESSAGES, RESPONSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from centralized_ml_api.api.error_shape import ApiError
    from centralized_ml_api.local.admission.terms import EntryTerms
    from centralized_ml_api.local.admission.violation import Violation

    Check = Callable[[dict[str, Any], LlamaCppLimits], Iterator[Violation]]
    Adapt = Callable[[dict[str, Any], LlamaCppLimits], dict[str, Any]]

LLAMA_CPP_NOTICES_SECONDS = 1.0
"""How long llama.cpp may work for a caller who has left: it looks once a second.

Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/server-context.cpp
(HTTP_POLLING_SECONDS)
"""
NO_BOUNDS: Mapping[str, int] = {}

_OF_LLAMA_CPP: dict[str, tuple[Check, Adapt]] = {
    **dict.fromkeys(CHAT.paths, (check_chat, adapt_llama_cpp_request)),
    **dict.fromkeys(COMPLETIONS.paths, (check_completion, adapt_completion)),
    **dict.fromkeys(RESPONSES.paths, (check_response, adapt_response)),
    **dict.fromkeys(MESSAGES.paths, (check_anthropic_messages, adapt_anthropic_messages)),
}
"""What is wrong with the body of a path, and what the server gets of it."""


def check_length(received: bytes, entry: EntryTerms) -> ApiError | None:
    """Returns what is wrong with the length of a body, to be asked before it is read.

    Envoy has refused most of what is too long by then, but not what came in chunks.
    """
    limit = entry.body_limit_bytes
    return body_too_large_for_model(limit) if limit is not None and len(received) > limit else None


def build_passed_on(
    body: JsonBody, entry: EntryTerms, bounds: Mapping[str, int] | None = None
) -> bytes | None:
    """Returns the body that the server gets; None if it gets the one that came, byte for byte.

    Args:
        body: The body that came.
        entry: What holds for the call.
        bounds: Members that bound the answer, see `needs`; None for a call whose tokens are not limited.

    Raises:
        BodyError: The entry does not take it; the message says what to change.
    """
    measured = () if bounds is None else list_measured(entry.path)
    if entry.body_rules == PROVIDER:
        return adapt_to_provider(body, entry, bounds or NO_BOUNDS, measured)
    if entry.body_rules == LLAMA_CPP:
        return _adapt_to_llama_cpp(body.document, entry, bounds or NO_BOUNDS)
    if bounds is not None:
        values = {"model": entry.model, **bounds} if entry.model else dict(bounds)
        passed_on = with_members(body, values, watched=measured)
        return passed_on if values else None
    return with_model(body, entry.model) if entry.model else None


def with_slot(passed_on: bytes, slot: int) -> bytes:
    """Returns the body of a call to llama.cpp, told to take this slot. Pure.

    Args:
        passed_on: What `build_passed_on` returned.
        slot: Counted from 0.
    """
    return b'{"id_slot":%d,%b' % (slot, passed_on[1:])  # it has messages at least, and no such field


def _adapt_to_llama_cpp(document: dict[str, Any], entry: EntryTerms, bounds: Mapping[str, int]) -> bytes:
    limits = LlamaCppLimits(
        context_tokens=entry.context,
        max_output_tokens=entry.max_output_tokens or entry.context,
        slots=entry.slots,
        takes_tools=entry.takes_tools,
        shares_prompts=entry.share_prompts,
    )
    check, adapt = _OF_LLAMA_CPP[entry.path]
    items = "input" if entry.path in RESPONSES.paths else "messages"
    pictures: list[Picture] = []
    violation = None
    if entry.takes_pictures:
        said, pictures, violation = take_pictures(entry.path, document.get(items))
        document = {**document, items: said} if pictures else document
    violation = violation or next(check(document, limits), None)
    if violation is not None:
        raise BodyError(violation.message)
    # Always written anew: of equal keys the server might take another one than was checked, and white space
    # and what is left out would still be read.
    adapted = adapt(document, limits)
    if pictures:
        put_pictures(adapted[items], pictures)
    adapted.update({name: min(most, entry.context) for name, most in bounds.items()})
    if entry.model:
        adapted["model"] = entry.model
    return json.dumps(adapted, separators=(",", ":")).encode()
