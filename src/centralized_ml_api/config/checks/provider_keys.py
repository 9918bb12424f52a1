"""C8: where the key of a provider is kept, and who may read it there."""

from __future__ import annotations

import re
import shlex
import stat
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.checks.context import given
from centralized_ml_api.config.resolve import candidate_paths, is_file
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.schema import ENVIRONMENT_NAME
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.errors import Problem

OPENAI = '"name": "openai", "model": "gpt-5-mini"'
KEY = '"key": {"env": "OPENAI_API_KEY"}'
_PLACES = ("env", "file", "secret")
_KEY_STARTS = ("sk-", "gsk_", "hf_", "fw_", "xai-", "AIza")


def _check_key(context: Context) -> Iterator[Problem]:
    for provider in context.providers:
        key = provider.object("key")
        if key:
            yield from _check_places(key)
        elif not provider.member("key") and isinstance(provider.value.get("name"), str):
            yield KEY_PLACE.problem(
                provider.key_location,
                found='no "key"',
                expected=f"where your key is kept: {_forms()}",
                fix=f"add {KEY}, with the name of the variable that holds it",
            )


def _check_places(key: ObjectNode) -> Iterator[Problem]:
    places = given(key, _PLACES)
    if not places:
        yield KEY_PLACE.problem(
            key.location, found="no place", expected=f"one of {_forms()}", fix='add "env": "OPENAI_API_KEY"'
        )
    for second in places[1:]:
        location = (key.member(second) or key).key_location
        found = f"{quoted(second)} as well as {quoted(places[0])}"
        yield KEY_PLACE.problem(location, found=found, expected="one place", fix="remove one of the two")
    yield from _check_names(key)


def _check_names(key: ObjectNode) -> Iterator[Problem]:
    for place in filter(None, map(key.string, _PLACES)):
        if place.value.startswith(_KEY_STARTS):
            yield KEY_PLACE.problem(
                place.location,
                found="a text that begins as keys of providers do",
                expected="the name of the place that holds the key, not the key itself",
                fix="replace the key, if it is one: what is in a config is soon read by others",
                hides_value=True,
            )
            return
    variable = key.string("env")
    if variable and not re.fullmatch(ENVIRONMENT_NAME.strip("^$"), variable.value):
        yield KEY_PLACE.problem(
            variable.location,
            found="a text that cannot be the name of an environment variable",
            expected='the name of the variable, such as "OPENAI_API_KEY", not the key itself',
            fix="put the key into a variable, and write its name here",
            hides_value=True,
        )


def _forms() -> str:
    return listed(f'{{"{place}": "…"}}' for place in _PLACES)


KEY_PLACE = CheckedRule(
    id="C805",
    title="not exactly one place of the key",
    meaning="""\
`key` names the one place where the provider's key is kept: `env`, an environment variable of `mlapi up`;
`file`, a file that nobody but you may read; or `secret`, a secret in AWS Secrets Manager. Every provider
with a `name` needs a key; a server at a `url` may need none. A name that begins as keys do is refused:
write a file as `./hf_token`, and a secret by its ARN.""",
    example=Example(
        at="$.endpoints[1]",
        wrong=f'"local": {{"engine": "provider", {OPENAI}, "key": {{}}}}',
        right=f'"local": {{"engine": "provider", {OPENAI}, {KEY}}}',
    ),
    check=_check_key,
)


def _check_file(context: Context) -> Iterator[Problem]:
    for provider in context.providers:
        key = provider.object("key")
        written = key.string("file") if key else None
        file = (
            next(filter(is_file, candidate_paths(written.value, context.folders)), None) if written else None
        )
        if written and file and stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield OPEN_KEY_FILE.problem(
                written.location,
                found=f"{file}, which others on this machine may read or change",
                expected="a file that nobody but you may read",
                fix=f"chmod 600 {shlex.quote(str(file))}",
            )


OPEN_KEY_FILE = CheckedRule(
    id="C806",
    title="key file open to others",
    meaning="""\
The file of a provider's key must be yours alone, as SSH demands it of private keys: `chmod 600 FILE`.
Whether the file exists is asked when the API starts, and by `mlapi doctor`.""",
    example=Example(wrong='"key": {"file": "keys/openai"}', right="$ chmod 600 keys/openai", suffix=""),
    check=_check_file,
)
