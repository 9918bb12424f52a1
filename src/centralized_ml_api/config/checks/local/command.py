"""The command that starts a local server: its words, and the port that it is told."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check_port(context: Context) -> Iterator[Problem]:
    for local in context.locals_with("run"):
        words, run = local.strings("run"), local.member("run")
        if run and words and not any("{port}" in word.value for word in words):
            yield COMMAND_WITHOUT_PORT.problem(
                run.location,
                found="no {port} among the arguments",
                expected="{port} where the program takes the port that it listens on",
                fix='add "--port", "{port}", or what the program calls it; if it reads $PORT, change nothing',
            )


COMMAND_WITHOUT_PORT = CheckedRule(
    id="C303",
    title="command without a port",
    severity="warning",
    meaning="""\
Each replica of a command gets a free port and must listen on it; `{port}` in an argument stands for its
number. A program that listens on a port of its own choice is not found, and its second replica cannot
start. Programs that read the environment variable `PORT` need no argument; ignore this warning for them.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "command", "run": ["vllm", "serve", "my/model"]}',
        right='"local": {"engine": "command", "run": ["vllm", "serve", "my/model", "--port", "{port}"]}',
    ),
    check=_check_port,
)


def _check_words(context: Context) -> Iterator[Problem]:
    for local in context.locals_with("run"):
        words = local.strings("run")
        for index, word in enumerate(words):
            reason = _why_malformed(word.value, first=index == 0, alone=len(words) == 1)
            if reason:
                yield MALFORMED_COMMAND.problem(
                    word.location,
                    found=f"{quoted(word.value)}: {reason}",
                    expected='a program, then each argument in its own string: ["vllm", "serve", "{port}"]',
                    fix=_split(word.value),
                )


def _why_malformed(word: str, *, first: bool, alone: bool) -> str:
    if "\0" in word:
        return "an argument cannot contain NUL"
    if first and not word.strip():
        return "no program"
    if first and alone and " " in word.strip():
        return "a whole command line in one string"
    return ""


def _split(word: str) -> str:
    """Advises to write the arguments one by one, where a shell would find several in the string."""
    try:
        arguments = shlex.split(word)
    except ValueError:
        return ""
    return f"write {quoted(arguments)}" if len(arguments) > 1 and "\0" not in word else ""


MALFORMED_COMMAND = CheckedRule(
    id="C307",
    title="malformed command",
    meaning="""\
`run` is a program and its arguments, each as a separate string. They are passed to the program as they
are, without a shell, so a whole command line in one string would be taken for the name of a program.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "command", "run": ["serve --port {port}"]}',
        right='"local": {"engine": "command", "run": ["serve", "--port", "{port}"]}',
    ),
    check=_check_words,
)

RULES = (COMMAND_WITHOUT_PORT, MALFORMED_COMMAND)
