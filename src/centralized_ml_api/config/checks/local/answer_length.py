"""The context of a language model, and the answers that must fit into it: C309."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.fields import engines
from centralized_ml_api.config.rule import Example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for entry in context.entries:
        local, limit = entry.object("local"), entry.integer("max_output_tokens")
        tokens = _context_tokens(local) if local else None
        if limit and tokens and limit.value > tokens:
            yield ANSWER_ABOVE_CONTEXT.problem(
                limit.location,
                found=f"answers of up to {limit.value} tokens in a context of {tokens}",
                expected="fewer tokens than the context has: it holds the prompt as well as the answer",
                fix=f'raise "context" of "local" above {limit.value}, or lower "max_output_tokens"',
            )


def _context_tokens(local: ObjectNode) -> int | None:
    """Returns the size of the context as written, or the engine's default; None if the engine has none."""
    engine = local.string("engine")
    kind = engines().get(engine.value) if engine else None
    field = kind.fields_by_name().get("context") if kind else None
    if field is None:
        return None
    written = local.integer("context")
    if written or given(local, ("context",)):
        return written.value if written else None
    default: int = field.default
    return default


ANSWER_ABOVE_CONTEXT = CheckedRule(
    id="C309",
    title="answer longer than the context",
    severity="warning",
    meaning="""\
The context of a conversation holds the prompt and the answer. llama.cpp ends an answer when the context is
full, so on this machine no answer can have `max_output_tokens` tokens. `context` is 2048 by default; a larger
one takes more memory.""",
    example=Example(
        at="$.models[0]",
        wrong='"max_output_tokens": 4096',
        right='"max_output_tokens": 1024',
    ),
    check=_check,
)

RULES = (ANSWER_ABOVE_CONTEXT,)
