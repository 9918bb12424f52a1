"""What a call of `/v1/completions` may ask of llama.cpp's server: a text is continued as it stands. Pure.

Source: https://platform.openai.com/docs/api-reference/completions/create. Of its fields llama.cpp ignores
`best_of`, `echo` and `suffix`, which would change the answer: they are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.field_checks import is_integer
from centralized_ml_api.local.admission.llama_cpp_fields import (
    FIELDS,
    adapt_fields,
    check_fields,
    check_refused,
)
from centralized_ml_api.local.admission.message_rules import check_size
from centralized_ml_api.local.admission.violation import LlamaCppLimits, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.admission.field_checks import Check

_OF_CHATS = frozenset(
    {
        "response_format",
        "chat_template_kwargs",
        "reasoning_effort",
        "reasoning_format",
        "thinking_budget_tokens",
        "parallel_tool_calls",
        "add_generation_prompt",
        "continue_final_message",
        "top_logprobs",
    }
)
_PROMPT = "'prompt' must be a string, a list of tokens, or a list of these."


def check_completion(document: dict[str, Any], limits: LlamaCppLimits) -> Iterator[Violation]:
    """Yields what is wrong with a body."""
    yield from check_refused(document)
    yield from check_fields(document, _FIELDS, limits)
    prompts = _list_prompts(document.get("prompt"))
    yield from _check_prompts(prompts, limits)
    most = max(1, limits.slots // 2)
    if len(prompts) * (document.get("n") or 1) > most:
        yield Violation("prompt", f"'prompt' and 'n' together may ask for {most} answers at most.")
    if (document.get("best_of") or 1) != 1:
        yield Violation(
            "best_of", "'best_of' is not taken here: this server computes no more than it returns."
        )
    for name, what in (
        ("echo", "returns the answer alone"),
        ("suffix", "continues texts, and fills no gaps"),
    ):
        if document.get(name):
            yield Violation(name, f"'{name}' is not taken here: this server {what}.")
    if document.get("response_format"):
        yield Violation("response_format", "'response_format' is not taken here: say 'json_schema'.")


def adapt_completion(document: dict[str, Any], limits: LlamaCppLimits) -> dict[str, Any]:
    """Returns the body that the server gets."""
    return {**adapt_fields(document, _FIELDS, limits), "prompt": document["prompt"]}


def _list_prompts(prompt: Any) -> list[Any]:
    """Returns the prompts of a call, of which each gets an answer."""
    if isinstance(prompt, list) and not all(map(is_integer, prompt)):
        return prompt
    return [prompt]


def _check_prompts(prompts: list[Any], limits: LlamaCppLimits) -> Iterator[Violation]:
    for prompt in prompts:
        if isinstance(prompt, str):
            yield from check_size("prompt", prompt, limits)
        elif not isinstance(prompt, list) or not prompt or not all(map(is_integer, prompt)):
            yield Violation("prompt", _PROMPT)
            return
        elif len(prompt) > limits.context_tokens:
            yield Violation(
                "prompt",
                f"'prompt' has {len(prompt):,} tokens; this model's context holds {limits.context_tokens:,}.",
            )


_FIELDS: dict[str, Check] = {name: check for name, check in FIELDS.items() if name not in _OF_CHATS}
