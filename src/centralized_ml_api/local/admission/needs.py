"""What a call may need at most, in tokens, and what its body must say so that it cannot need more. Pure.

A token has at least one byte, so a prompt of text has no more tokens than its body has bytes. What its
server adds, such as a chat template, is allowed for, and so are images and sounds. What a body only names,
such as an earlier response or a file at the provider, has no bound: such a call is refused.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.json_body import BodyError
from centralized_ml_api.plan.apis import CHAT, COMPLETIONS, EMBEDDINGS, IMAGES, MESSAGES, RESPONSES
from centralized_ml_api.plan.usage.tokens import BYTES_PER_TOKEN
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from centralized_ml_api.local.admission.terms import EntryTerms

TEMPLATE_TOKENS = 256
TOOL_TEMPLATE_TOKENS = 1024
"""What a server writes around a prompt, and around tools.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview#pricing (346 to 804 tokens)
"""

MEDIA_TOKENS = 50_000
"""The most that one image has at any provider.

Source: https://platform.openai.com/docs/guides/images-vision#calculating-costs (gpt-4o-mini: 2,833 tokens and
5,667 for each of up to 8 tiles)
"""

OUTPUT_LIMITS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(CHAT.paths, ("max_completion_tokens", "max_tokens")),
    **dict.fromkeys(COMPLETIONS.paths, ("max_tokens",)),
    **dict.fromkeys(RESPONSES.paths, ("max_output_tokens",)),
    MESSAGES.paths[0]: ("max_tokens",),
}
"""How the bodies of a path name the most tokens of an answer."""

_LLAMA_CPPS_OWN = "n_predict"
OLDER_LIMIT = "max_tokens"
"""The limit of a chat that servers read which know no `max_completion_tokens`.

Who prefers the newer name reads the older one too, or refuses it; OpenAI refuses both together.
"""

_UNBOUNDED = (
    *("previous_response_id", "conversation", "prompt", "prediction"),
    *("web_search_options", "search_parameters", "plugins", "mcp_servers", "container"),
    *("chat_template", "mm_processor_kwargs", "cached_content"),
)
_UNBOUNDED_PARTS = ("file_id", "file_url", "item_reference", "cached_content")
_DEARER = {"service_tier": "priority", "speed": "fast", "inference_geo": "us"}
"""What some providers sell for more than their price.

Source: https://platform.claude.com/docs/en/about-claude/pricing (data residency costs a tenth more)
"""

_OTHER_SELLERS = ("models", "provider", "providerOptions", "fallbacks")
"""Who else may answer, at OpenRouter, Vercel's gateway and LiteLLM's."""

_COMPACTED = "compact"
"""Summaries that the provider writes of a conversation, whose tokens are no part of its report.

Source: https://platform.claude.com/docs/en/build-with-claude/compaction
"""

_ROOTS = ("messages", "input", "system", "instructions", "extra_body", "google")
"""The members in which parts are looked for."""

_PLAIN_TOOLS = ("function", "custom")
_NAMESPACE = "namespace"
"""A tool of Responses that holds functions, as Codex has it."""

_MEDIA = ("image", "audio")
_MEDIA_KEYS = ("image", "image_url", "audio", "audio_url", "input_audio")
_LONG_MEDIA = ("document", "file", "video")
_LONG_MEDIA_KEYS = ("video", "video_url", "input_video")
"""Some servers read a part without a type by its keys.

Source: https://docs.vllm.ai/en/stable/features/multimodal_inputs/
"""

_WRITTEN_OUT = ("text", "content")
"""The sources of a document whose text is in the body."""

_WRITES_CACHE = re.compile(rb"cache_control|\\u00[4-7]", re.IGNORECASE)
"""The member as it stands in a body. JSON may write its letters as escapes, which no encoder does."""


@record
class TokenNeed:
    """The most tokens that a call reads and writes, and the members that its body must have for that."""

    read: int
    written: int
    members: Mapping[str, int] = field(default_factory=dict)


def may_write_cache(body: bytes) -> bool:
    """Returns whether a body may ask its provider to write a cache, which some sell for twice the price."""
    return _WRITES_CACHE.search(body) is not None


def list_bounding(path: str) -> tuple[str, ...]:
    """Returns the members that say how much a call asks for: none may be there twice."""
    return (*OUTPUT_LIMITS.get(path, ()), "n", "best_of", _LLAMA_CPPS_OWN)


@functools.cache
def list_measured(path: str) -> tuple[str, ...]:
    """Returns all members that decide what a call of a limited team may need."""
    read = (
        *_ROOTS,
        "tools",
        "functions",
        "background",
        "context_management",
        *_OTHER_SELLERS,
        *_DEARER,
        *_UNBOUNDED,
    )
    return (*list_bounding(path), *read)


def measure_bytes(body_bytes: int, entry: EntryTerms, document: Mapping[str, Any] | None = None) -> TokenNeed:
    """Returns what a call of an API without tokens needs: its tokens are counted from bytes, as at its end.

    Args:
        body_bytes: The length of its body.
        entry: What holds for the call.
        document: The body, parsed; None if it is no JSON.

    Raises:
        BodyError: It says by something else than a number how many images it asks for.
    """
    answers = _count_answers(document, entry.path) if document and asks_many(entry) else 1
    return TokenNeed(
        body_bytes // BYTES_PER_TOKEN, (entry.max_output_tokens or entry.answer_tokens) * answers
    )


def asks_many(entry: EntryTerms) -> bool:
    """Returns whether a body without tokens says how many answers it asks for, as those of images do."""
    return entry.path in IMAGES.paths


def measure_need(body_bytes: int, document: Mapping[str, Any], entry: EntryTerms) -> TokenNeed:
    """Returns what a call needs at most.

    Args:
        body_bytes: The length of its body.
        document: The body, parsed.
        entry: What holds for the call.

    Raises:
        BodyError: Nothing bounds it; the message says what.
    """
    parts = [*_list_parts(document)]
    _refuse_unbounded(document, parts, entry)
    media = sum(map(_is_media, parts))
    tools = TOOL_TEMPLATE_TOKENS if document.get("tools") or document.get("functions") else 0
    read = body_bytes + TEMPLATE_TOKENS + tools + media * MEDIA_TOKENS
    names = OUTPUT_LIMITS.get(entry.path, ())
    if not names or entry.path in EMBEDDINGS.paths:
        return TokenNeed(read, 0)
    most, members = bound_answer(document, entry)
    if entry.context:
        read, most = min(read, entry.context), min(most, entry.context)
    answers = _count_answers(document, entry.path)
    return TokenNeed(read * _count_prompts(document, entry), most * answers, members)


def bound_answer(document: Mapping[str, Any], entry: EntryTerms) -> tuple[int, dict[str, int]]:
    """Returns the most tokens of one answer, and the members that its body must have to say so.

    A limit that the caller names and the server may not read is said once more, by the name that it reads. To
    some servers 0 means that there is no limit: it becomes 1.

    Args:
        document: The body, parsed.
        entry: What holds for the call; its path must be one of `OUTPUT_LIMITS`.
    """
    names, cap = OUTPUT_LIMITS[entry.path], entry.max_output_tokens
    most = cap or entry.answer_tokens
    given = (*names, _LLAMA_CPPS_OWN)
    named = {name: document[name] for name in given if document.get(name) is not None}
    members = {name: most for name, value in named.items() if not _is_count(value, cap)}
    members |= {name: 1 for name, value in named.items() if name not in members and not value}
    limits = [members.get(name, named[name]) for name in names if name in named]
    key = entry.limit_key if entry.limit_key in names else names[0]
    if not limits:
        members[next((name for name in names if name in document), key)] = most
    elif key not in named and key == OLDER_LIMIT:
        members[key] = max(limits)
    return max({**named, **members}.values()), members


def _is_count(value: Any, cap: int | None) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return is_number and (cap is None or value <= cap)


def _count_answers(document: Mapping[str, Any], path: str) -> int:
    """Returns how many answers a call asks for.

    Raises:
        BodyError: It says so by something else than a number.
    """
    counts = [document.get(name) or 1 for name in ("n", "best_of")]
    if not all(isinstance(count, int) and count >= 1 for count in counts):
        raise BodyError("'n' and 'best_of' must be whole numbers, at least 1.")
    if path not in COMPLETIONS.paths:
        return max(counts)
    prompt = document.get("prompt")
    is_list = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return max(counts) * (len(prompt) if is_list and isinstance(prompt, list) else 1)


def _count_prompts(document: Mapping[str, Any], entry: EntryTerms) -> int:
    """Returns how many prompts a context bounds: without one, the body bounds them all together."""
    return _count_answers(document, entry.path) if entry.context and entry.path in COMPLETIONS.paths else 1


def _refuse_unbounded(
    document: Mapping[str, Any], parts: Iterable[Mapping[str, Any]], entry: EntryTerms
) -> None:
    for name in _UNBOUNDED:
        if document.get(name) and not (name == "prompt" and entry.path not in RESPONSES.paths):
            raise BodyError(_word_unbounded(name))
    _refuse_other_prices(document)
    for tool in _list_tools(document.get("tools")):
        hosted = _name_hosted(tool)
        if hosted:
            raise BodyError(_word_unbounded(hosted[:40]))
    for part in _list_parts({"input": document.get("context_management")}):
        if _COMPACTED in str(part.get("type")):
            raise BodyError(_word_unbounded(str(part["type"])[:40]))
    for part in parts:
        _refuse_unbounded_part(part)


def _refuse_other_prices(document: Mapping[str, Any]) -> None:
    """Refuses what costs another price than the entry's, or is known too late."""
    for name, value in _DEARER.items():
        if document.get(name) == value:
            raise BodyError(
                f"'{name}' must not be '{value}' for a team whose tokens or dollars are limited:"
                " it costs more."
            )
    for name in _OTHER_SELLERS:
        if document.get(name):
            raise BodyError(
                f"'{name}' is not taken from a team whose tokens or dollars are limited: others have other"
                " prices."
            )
    if document.get("background"):
        raise BodyError(
            "'background' is not taken from a team whose tokens or dollars are limited: what it uses is known"
            " too late."
        )


def _list_tools(tools: Any) -> Iterator[Mapping[str, Any]]:
    """Yields the tools of a body, those in namespaces too, in order."""
    pending = [tools]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(reversed(item))
        elif (
            isinstance(item, dict) and item.get("type") == _NAMESPACE and isinstance(item.get("tools"), list)
        ):
            pending.append(item["tools"])
        elif isinstance(item, dict):
            yield item


def _name_hosted(tool: Mapping[str, Any]) -> str | None:
    """Returns what a tool is called that the provider runs; None for a function of the caller's."""
    kind = tool.get("type")
    if kind is None:  # Anthropic's functions have no type, nor have Gemini's own tools
        return None if "name" in tool or "function" in tool else next(iter(tool), None)
    return None if kind in _PLAIN_TOOLS else str(kind)


def _refuse_unbounded_part(part: Mapping[str, Any]) -> None:
    kind, source = part.get("type"), part.get("source")
    for name in _UNBOUNDED_PARTS:
        if part.get(name) or kind == name:
            raise BodyError(_word_unbounded(name))
    is_written_out = isinstance(source, dict) and source.get("type") in _WRITTEN_OUT
    long = next((name for name in _LONG_MEDIA_KEYS if part.get(name)), None)
    if isinstance(kind, str) and any(word in kind for word in _LONG_MEDIA) and not is_written_out:
        long = kind
    if long:
        raise BodyError(
            f"'{long[:40]}' is not taken from a team whose tokens or dollars are limited: nobody knows how"
            " many tokens it has. Send its text."
        )


def _word_unbounded(name: str) -> str:
    return (
        f"'{name}' is not taken from a team whose tokens or dollars are limited: nothing bounds what it makes"
        " the model read. Send the content itself."
    )


def _list_parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yields every object in the messages of a body, whatever the API."""
    pending = [value.get(name) for name in _ROOTS]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            is_called = item.get("type") == "tool_use"  # its `input` is the caller's own JSON
            pending.extend(value for name, value in item.items() if not (is_called and name == "input"))
        elif isinstance(item, list):
            pending.extend(item)


def _is_media(part: Mapping[str, Any]) -> bool:
    kind = part.get("type")
    is_told = isinstance(kind, str) and any(word in kind for word in _MEDIA)
    return is_told or any(part.get(name) for name in _MEDIA_KEYS)
