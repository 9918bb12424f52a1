"""C8 too: which entry is asked where another one fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check_names(context: Context) -> Iterator[Problem]:
    names = [name for entry in context.entries if isinstance(name := entry.value.get("name"), str)]
    for entry in context.entries:
        own = entry.string("name")
        seen = {own.value} if own else set()
        for other in entry.strings("fallback"):
            if other.value in names and other.value not in seen:
                seen.add(other.value)
                continue
            others = [name for name in names if name not in seen]
            yield FALLBACK.problem(
                other.location,
                found=quoted(other.value),
                expected=f"another entry, once: {listed(map(quoted, others))}" if others else "another entry",
                fix=f"write {quoted(others[0])}" if others else 'remove "fallback"',
            )


FALLBACK = CheckedRule(
    id="C813",
    title="fallback that is no other entry",
    meaning="""\
`fallback` names entries of this file that are asked where this one fails, each once.""",
    example=Example(
        at="$.endpoints[1]",
        wrong='"fallback": ["open-lama"]',
        right='"fallback": ["open-llama"]',
    ),
    check=_check_names,
)

RULES = (FALLBACK,)
