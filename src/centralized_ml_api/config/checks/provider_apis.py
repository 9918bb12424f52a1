"""C8 too: which of a provider's APIs can be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_ANTHROPIC = '"engine": "provider", "name": "anthropic", "model": "claude-haiku-4-5", "key": {"env": "K"}'
_NATIVE = "anthropic-messages"


def _check_native_api(context: Context) -> Iterator[Problem]:
    for provider in context.providers:
        speaks = provider.member("speaks")
        if speaks is None or provider.value.get("name") != "anthropic":
            continue
        written = speaks.value if isinstance(speaks.value, list) else [speaks.value]
        if _NATIVE in written and {*written} != {_NATIVE}:
            yield NATIVE_ANTHROPIC.problem(
                speaks.location,
                found='"anthropic-messages" and others with "name": "anthropic"',
                expected="one of Anthropic's two APIs: each takes the key in a header of its own",
                fix='write "speaks": "anthropic-messages"; callers have OpenAI\'s APIs by translation',
            )


NATIVE_ANTHROPIC = CheckedRule(
    id="C810",
    title="both of Anthropic's APIs",
    meaning="""\
Anthropic's own API takes the key in the header `x-api-key`; Anthropic's copy of OpenAI's API takes it in
`authorization`. An entry has one of the two. With `"speaks": "anthropic-messages"`, clients of OpenAI's chats
and responses are served all the same, by translation.

Source: https://platform.claude.com/docs/en/api/overview""",
    example=Example(
        at="$.endpoints[1]",
        wrong=f'"local": {{{_ANTHROPIC}, "speaks": ["openai-chat", "anthropic-messages"]}}',
        right=f'"local": {{{_ANTHROPIC}, "speaks": "anthropic-messages"}}',
    ),
    check=_check_native_api,
)

RULES = (NATIVE_ANTHROPIC,)
