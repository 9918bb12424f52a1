"""Other names of entries: their form, and whether each leads to an entry that is called by a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.schema.base import ALIAS_PATTERN
from centralized_ml_api.config.wording import listed_names, nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

_ALIAS = re.compile(ALIAS_PATTERN)


def _aliases(context: Context) -> list[Node[str]]:
    """Returns the entries that aliases lead to, each with its alias as key."""
    aliases = context.event.object("aliases") if context.event else None
    if aliases is None:
        return []
    return [entry for alias in aliases.value if (entry := aliases.string(alias)) is not None]


def _alias_of(entry: Node[str]) -> str:
    return str(entry.path[-1])


def _check_form(context: Context) -> Iterator[Problem]:
    for entry in _aliases(context):
        alias = _alias_of(entry)
        if not _ALIAS.fullmatch(alias):
            yield MALFORMED_ALIAS.problem(
                entry.key_location,
                found=quoted(alias),
                expected="1 to 128 letters, digits and characters of - . _ : / @ ~ = , ( ) [ ]",
            )


MALFORMED_ALIAS = CheckedRule(
    id="C410",
    title="malformed alias",
    meaning="""\
An alias is the name of a model as programs send it: 1 to 128 letters, digits and characters of
`- . _ : / @ ~ = , ( ) [ ]`, without spaces, such as `meta-llama/Llama-3.1-8B-Instruct` or `llama3.1:8b`.""",
    example=Example(
        at="$.event",
        wrong='"aliases": {"GPT 4o mini": "open-llama"}',
        right='"aliases": {"gpt-4o-mini": "open-llama"}',
    ),
    check=_check_form,
)


def _check_entries(context: Context) -> Iterator[Problem]:
    names = context.entry_names
    for entry in _aliases(context):
        if entry.value not in names:
            yield UNKNOWN_ALIASED_ENTRY.problem(
                entry.location,
                found=quoted(entry.value),
                expected=f"the name of a model or endpoint: {listed_names(names)}",
                fix=write(nearest(entry.value, names)),
            )


UNKNOWN_ALIASED_ENTRY = CheckedRule(
    id="C411",
    title="alias of an unknown entry",
    meaning="""\
An alias leads to an entry in `models` or `endpoints` of the same file: the alias is the key, the entry's name
is the value. No entry has this name. An alias of an alias is not possible.""",
    example=Example(
        at="$.event",
        wrong='"aliases": {"gpt-4o-mini": "open-lama"}',
        right='"aliases": {"gpt-4o-mini": "open-llama"}',
    ),
    check=_check_entries,
)


def _check_own_names(context: Context) -> Iterator[Problem]:
    for entry in _aliases(context):
        alias = _alias_of(entry)
        if alias in context.entry_names:
            yield ALIAS_IS_A_NAME.problem(
                entry.key_location,
                found=f"{quoted(alias)}, which is the name of an entry",
                expected="a name that no entry has",
                fix="remove the alias, or rename the entry",
            )


ALIAS_IS_A_NAME = CheckedRule(
    id="C412",
    title="alias that is an entry's name",
    meaning="""\
An entry has this name already. A call that names it would reach that entry, so the alias would never be
used.""",
    example=Example(
        at="$.event",
        wrong='"aliases": {"open-llama": "open-llama"}',
        right='"aliases": {"gpt-4o-mini": "open-llama"}',
    ),
    check=_check_own_names,
)


def _check_called_by_name(context: Context) -> Iterator[Problem]:
    unnamed = {
        name.value
        for entry in context.entries
        if (name := entry.string("name")) and not _may_be_under_v1(entry)
    }
    for entry in _aliases(context):
        if entry.value in unnamed:
            yield ALIAS_WITHOUT_PATH.problem(
                entry.location,
                found=f"{quoted(entry.value)}, which no path under /v1 leads to",
                expected="an entry that is called under /v1",
                fix='say what its server takes, such as "speaks": "openai-chat", or remove the alias',
            )


def _may_be_under_v1(entry: ObjectNode) -> bool:
    """Returns whether some target may serve it under `/v1`, as far as the file says: JumpStart knows more."""
    local = entry.object("local")
    if any(entry.member(key) for key in ("model_id", "speaks", "provider", "bedrock_model_id")):
        return True
    if local is None:
        return False
    addresses = [address.value for key in ("url", "invocations") if (address := local.string(key))]
    is_spoken = local.member("speaks") is not None or local.value.get("engine") in ("llama.cpp", "provider")
    return is_spoken or any("/v1/" in address for address in addresses)


ALIAS_WITHOUT_PATH = CheckedRule(
    id="C413",
    title="alias of an entry that is not under /v1",
    meaning="""\
An alias stands for `model` in the body of a call under `/v1`. This entry is called at its own path alone,
since neither target knows its server to speak one of the APIs under `/v1`. If it does, say so: `speaks`.""",
    example=Example(
        at="$",
        wrong='"endpoints": [{"name": "plain", "integration": {"type": "api"}}], '
        '"event": {"aliases": {"gpt-4o-mini": "plain"}}',
        right='"endpoints": [{"name": "plain", "integration": {"type": "api"}, "speaks": "openai-chat"}], '
        '"event": {"aliases": {"gpt-4o-mini": "plain"}}',
    ),
    check=_check_called_by_name,
)

RULES = (MALFORMED_ALIAS, UNKNOWN_ALIASED_ENTRY, ALIAS_IS_A_NAME, ALIAS_WITHOUT_PATH)
