"""C305: a path that does not begin with a slash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.rule import Example, Rule
from centralized_ml_api.config.wording import quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.subject import Subject
    from centralized_ml_api.errors import Problem

_PATH = re.compile(r"/[!-~]*")


def _check(subject: Subject) -> Iterator[Problem]:
    for local in subject.locals("command", "url"):
        for key in ("ping", "invocations"):
            path = local.text(key)
            if path and not _PATH.fullmatch(path.value):
                plain = re.fullmatch(r"[!-~]+", path.value) and "://" not in path.value
                yield RULE.problem(
                    path.place,
                    found=quoted(path.value),
                    expected='a path that begins with "/", such as "/health"',
                    fix=write(f"/{path.value}" if plain else None),
                )


RULE = Rule(
    id="C305",
    title="malformed path",
    meaning="""\
`ping` and `invocations` are paths on the server itself: they begin with `/`, have no host, and no space
or letter outside of ASCII.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "command", "run": ["serve", "{port}"], "ping": "health"}',
        right='"local": {"engine": "command", "run": ["serve", "{port}"], "ping": "/health"}',
    ),
    check=_check,
)
