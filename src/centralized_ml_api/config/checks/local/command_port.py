"""C303: a command that is not told its port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for local in context.locals("command"):
        words, run = local.texts("run"), local.member("run")
        if run and words and not any("{port}" in word.value for word in words):
            yield RULE.problem(
                run.location,
                found="no {port} among the arguments",
                expected="{port} where the program takes the port that it listens on",
                fix='add "--port", "{port}", as the program spells it; leave it if it reads $PORT',
            )


RULE = Rule(
    id="C303",
    title="command without a port",
    severity="warning",
    meaning="""\
Each replica of a command gets a free port, which it must listen on: `{port}` in an argument stands for
its number. A program that listens on a port of its own choice is not found, and its second replica
cannot start. Programs that read the environment variable `PORT` need no argument; then this warning
means nothing.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "command", "run": ["vllm", "serve", "my/model"]}',
        right='"local": {"engine": "command", "run": ["vllm", "serve", "my/model", "--port", "{port}"]}',
    ),
    check=_check,
)
