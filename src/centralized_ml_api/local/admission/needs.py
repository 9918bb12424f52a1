"""What a call may need at most, in tokens, and what its body must say so that it cannot need more. Pure.

A token has at least one byte, so a prompt of text has no more tokens than its body has bytes. What its
server adds, such as a chat template, is allowed for, and so are images and sounds. What a body only names,
such as an earlier response or a file at the provider, has no bound: such a call is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.json_body import BodyError
from centralized_ml_api.plan.apis import CHAT, COMPLETIONS, EMBEDDINGS, MESSAGES, RESPONSES

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_UNBOUNDED = (
    *("previous_response_id", "conversation", "prompt", "prediction"),
    *("web_search_options", "mcp_servers", "container"),
)
_UNBOUNDED_PARTS = ("file_id", "file_url", "item_reference")
_DEARER = {"service_tier": "priority", "speed": "fast"}
"""What some providers sell for more than their price."""

_PLAIN_TOOLS = frozenset({None, "function", "custom"})
_MEDIA = ("image", "audio", "document", "file", "video")


@dataclass(frozen=True, slots=True)
class TokenNeed:
    """The most tokens that a call reads and writes, and the members that its body must have for that."""

    read: int
    written: int
    members: Mapping[str, int] = field(default_factory=dict)


def list_bounding(path: str) -> tuple[str, ...]:
    """Returns the members that say how much a call asks for: none may be there twice."""
    return (*OUTPUT_LIMITS.get(path, ()), "n", "best_of", _LLAMA_CPPS_OWN)


def measure_bytes(body_bytes: int, entry: EntryTerms) -> TokenNeed:
    """Returns what a call of an API without tokens needs: its tokens are counted from bytes.

    Args:
        body_bytes: The length of its body.
        entry: What holds for the call.
    """
    return TokenNeed(body_bytes, entry.max_output_tokens or entry.answer_tokens)


def measure_need(body_bytes: int, document: Mapping[str, Any], entry: EntryTerms) -> TokenNeed:
    """Returns what a call needs at most.

    Args:
        body_bytes: The length of its body.
        document: The body, parsed.
        entry: What holds for the call.

    Raises:
        BodyError: nothing bounds it; the message says what.
    """
    _refuse_unbounded(document, entry)
    media = sum(1 for part in _list_parts(document) if _is_media(part))
    tools = TOOL_TEMPLATE_TOKENS if document.get("tools") or document.get("functions") else 0
    read = body_bytes + TEMPLATE_TOKENS + tools + media * MEDIA_TOKENS
    names = OUTPUT_LIMITS.get(entry.path, ())
    if not names or entry.path in EMBEDDINGS.paths:
        return TokenNeed(read, 0)
    most, members = _bound_answer(document, entry, names)
    if entry.context:
        read, most = min(read, entry.context), min(most, entry.context)
    answers = _count_answers(document, entry.path)
    return TokenNeed(read * _count_prompts(document, entry), most * answers, members)


def _bound_answer(
    document: Mapping[str, Any], entry: EntryTerms, names: tuple[str, ...]
) -> tuple[int, dict[str, int]]:
    """Returns the most tokens of one answer, and the members that say so."""
    cap = entry.max_output_tokens
    most = cap or entry.answer_tokens
    given = (*names, _LLAMA_CPPS_OWN)
    named = {name: document[name] for name in given if document.get(name) is not None}
    members = {name: most for name, value in named.items() if not _is_count(value, cap)}
    if not any(name in named for name in names):
        unset = next((name for name in names if name in document), None)
        preferred = entry.limit_key if entry.limit_key in names else names[0]
        members[unset or preferred] = most
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
        return int(counts[0])
    prompt = document.get("prompt")
    is_list = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return max(counts) * (len(prompt) if is_list and isinstance(prompt, list) else 1)


def _count_prompts(document: Mapping[str, Any], entry: EntryTerms) -> int:
    """Returns how many prompts a context bounds: without one, the body bounds them all together."""
    return _count_answers(document, entry.path) if entry.context and entry.path in COMPLETIONS.paths else 1


def _refuse_unbounded(document: Mapping[str, Any], entry: EntryTerms) -> None:
    for name in _UNBOUNDED:
        if document.get(name) and not (name == "prompt" and entry.path not in RESPONSES.paths):
            raise BodyError(_word_unbounded(name))
    for name, value in _DEARER.items():
        if document.get(name) == value:
            raise BodyError(
                f"'{name}' must not be '{value}' for a team whose tokens or dollars are limited:"
                " it costs more."
            )
    tools = document.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in _PLAIN_TOOLS and entry.path not in CHAT.paths:
            raise BodyError(_word_unbounded(str(kind)[:40]))
    for part in _list_parts(document):
        for name in _UNBOUNDED_PARTS:
            if part.get(name) or part.get("type") == name:
                raise BodyError(_word_unbounded(name))


def _word_unbounded(name: str) -> str:
    return (
        f"'{name}' is not taken from a team whose tokens or dollars are limited: nothing bounds what it makes"
        " the model read. Send the content itself."
    )


def _list_parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yields every object in the messages of a body, whatever the API."""
    pending = [value.get(name) for name in ("messages", "input", "system", "instructions")]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)


def _is_media(part: Mapping[str, Any]) -> bool:
    kind = part.get("type")
    return isinstance(kind, str) and any(word in kind for word in _MEDIA)
