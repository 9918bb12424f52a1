"""C305: a path that does not begin with a slash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.local.characters import wrong_characters
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_EXPECTED = 'a path that begins with "/", such as "/health"'


def _check(context: Context) -> Iterator[Problem]:
    for local in context.locals("command", "url"):
        for key in ("ping", "invocations"):
            path = local.text(key)
            reason = _reason(path.value) if path else ""
            if path and reason:
                yield RULE.problem(
                    path.location,
                    found=f"{quoted(path.value)}: {reason}",
                    expected=_EXPECTED,
                    fix=_fix(path.value),
                )


def _reason(path: str) -> str:
    """What is wrong with the path; nothing when it can be called."""
    if reason := wrong_characters(path):
        return reason
    if not path.startswith("/"):
        return "it does not begin with /"
    return "it has a # in it" if "#" in path else ""


def _fix(path: str) -> str:
    slash = f"/{path}"
    return write(slash) if path and "://" not in path and not _reason(slash) else ""


RULE = Rule(
    id="C305",
    title="malformed path",
    meaning="""\
`ping` and `invocations` are paths on the server itself: they begin with `/`, have no host, and hold
printable ASCII only. Everything else is written in percent escapes (`%C3%BC` for `ü`), a `%` itself as
`%25`.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "command", "run": ["serve", "{port}"], "ping": "health"}',
        right='"local": {"engine": "command", "run": ["serve", "{port}"], "ping": "/health"}',
    ),
    check=_check,
)
