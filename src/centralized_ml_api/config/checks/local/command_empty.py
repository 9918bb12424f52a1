"""C307: a command without a program."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for local in context.locals("command"):
        words = local.texts("run")
        for index, word in enumerate(words):
            problem = _reason(word.value, first=index == 0, alone=len(words) == 1)
            if problem:
                yield RULE.problem(
                    word.location,
                    found=f"{quoted(word.value)}: {problem}",
                    expected=_EXPECTED,
                    fix=_fix(word.value),
                )


def _reason(word: str, *, first: bool, alone: bool) -> str:
    if "\0" in word:
        return "no argument can hold a NUL"
    if first and not word.strip():
        return "no program"
    if first and alone and " " in word.strip():
        return "a whole line in one text"
    return ""


def _fix(word: str) -> str:
    """The arguments one by one, where a shell would find several in the text."""
    try:
        arguments = shlex.split(word)
    except ValueError:
        return ""
    return f"write {quoted(arguments)}" if len(arguments) > 1 and "\0" not in word else ""


_EXPECTED = 'a program, then each argument in a text of its own: ["vllm", "serve", "{port}"]'

RULE = Rule(
    id="C307",
    title="malformed command",
    meaning="""\
`run` is a program and its arguments, each in a text of its own, as they are handed to the program: no
shell reads them, so that a whole command line in one text is taken for the name of a program.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "command", "run": ["serve --port {port}"]}',
        right='"local": {"engine": "command", "run": ["serve", "--port", "{port}"]}',
    ),
    check=_check,
)
