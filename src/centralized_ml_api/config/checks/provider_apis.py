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


def _check_native_api(context: Context) -> Iterator[Problem]:
    for provider in context.providers:
        speaks = provider.member("speaks")
        if speaks is None or provider.value.get("name") != "anthropic":
            continue
        written = speaks.value if isinstance(speaks.value, list) else [speaks.value]
        if "anthropic-messages" in written:
            yield NATIVE_ANTHROPIC.problem(
                speaks.location,
                found='"anthropic-messages" with "name": "anthropic"',
                expected="OpenAI's API, in which this version calls Anthropic",
                fix='remove "speaks": "openai-chat" is the default',
            )


NATIVE_ANTHROPIC = CheckedRule(
    id="C810",
    title="Anthropic's own API",
    meaning="""\
Anthropic's own API takes the key in the header `x-api-key`, and needs the header `anthropic-version`. This
version calls Anthropic in OpenAI's API, with neither: each call of `/v1/messages` would be refused. Another
server that speaks Anthropic's API, such as vLLM, needs no such header: name its `url`, without `name`.

Source: https://platform.claude.com/docs/en/api/overview""",
    example=Example(
        at="$.endpoints[1]",
        wrong=f'"local": {{{_ANTHROPIC}, "speaks": "anthropic-messages"}}',
        right=f'"local": {{{_ANTHROPIC}, "speaks": "openai-chat"}}',
    ),
    check=_check_native_api,
)

RULES = (NATIVE_ANTHROPIC,)
