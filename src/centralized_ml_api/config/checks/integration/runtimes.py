"""The runtimes of AWS Lambda as of November 2026, and the problems with those that AWS no longer supports.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html (supported and deprecated runtimes).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.config.rule import Rule
    from centralized_ml_api.errors import Problem

_CURRENT = (
    "python3.14", "python3.13", "python3.12", "python3.11",
    "nodejs24.x", "nodejs22.x",
    "java25", "java21", "java17", "java17.al2023", "java11", "java11.al2023", "java8.al2", "java8.al2023",
    "dotnet10",
    "ruby4.0", "ruby3.4", "ruby3.3",
    "provided.al2023",
)  # fmt: skip
"""Supported: AWS patches them. The newest of each language comes first."""

_DEPRECATED = {
    "python3.10": "2026-10-31",
    "python3.9": "2025-12-15",
    "nodejs20.x": "2026-04-30",
    "dotnet8": "2026-11-10",
    "ruby3.2": "2026-03-31",
    "provided.al2": "2026-07-31",
}
"""No longer patched since that day, but functions can still be created with them."""

_RETIRED = frozenset(
    {
        "python3.8", "python3.7", "python3.6", "python2.7",
        "nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x",
        "nodejs10.x", "nodejs8.10", "nodejs6.10", "nodejs4.3",
        "java8", "go1.x", "provided",
        "dotnet7", "dotnet6", "dotnet5.0", "dotnetcore3.1", "dotnetcore2.1", "dotnetcore2.0", "dotnetcore1.0",
        "ruby2.7", "ruby2.5",
    }
)  # fmt: skip
"""Creating functions with them is blocked, or about to be after a long time without patches."""

_FUTURE = re.compile(
    r"python3\.1[5-9]|nodejs(2[6-9]|3[0-9])\.x|java(2[6-9]|3[0-9])|dotnet1[1-9]|ruby4\.[1-9]"
)
"""What the next runtimes will probably be called."""


def _runtimes(context: Context) -> list[Node[str]]:
    return [runtime for function in context.functions if (runtime := function.string("runtime"))]


def _language(runtime: str) -> str:
    """Returns the letters that a runtime begins with: `python` for `python3.13`."""
    return runtime[: len(runtime) - len(runtime.lstrip("abcdefghijklmnopqrstuvwxyz"))].removesuffix("core")


def _current_like(runtime: str) -> tuple[str, ...]:
    """Returns the supported runtimes of the same language, or all of them when there are none."""
    language = _language(runtime)
    return tuple(current for current in _CURRENT if _language(current) == language) or _CURRENT


def _unsupported(rule: Rule, runtime: Node[str], found: str) -> Problem:
    current = _current_like(runtime.value)
    return rule.problem(
        runtime.location,
        found=found,
        expected=f"a runtime that AWS supports: {listed(current)}",
        fix=write(current[min(1, len(current) - 1)]),  # the newest may lack what a function needs
    )


def _check_retired(context: Context) -> Iterator[Problem]:
    for runtime in _runtimes(context):
        if runtime.value in _RETIRED:
            yield _unsupported(RETIRED_RUNTIME, runtime, quoted(runtime.value))


RETIRED_RUNTIME = CheckedRule(
    id="C209",
    title="retired runtime",
    meaning="""\
AWS has retired this Lambda runtime: it gets no security fixes, and AWS refuses to create functions with
it, or soon will. Choose a supported runtime; most functions for an older Python run unchanged on a newer
one.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"runtime": "python3.8"',
        right='"runtime": "python3.13"',
    ),
    check=_check_retired,
)


def _check_unknown(context: Context) -> Iterator[Problem]:
    known = {*_CURRENT, *_DEPRECATED, *_RETIRED}
    for runtime in _runtimes(context):
        if runtime.value in known:
            continue
        meant = nearest(runtime.value, _CURRENT)
        yield UNKNOWN_RUNTIME.problem(
            runtime.location,
            found=quoted(runtime.value),
            expected=f"a runtime of AWS Lambda: {listed(_current_like(meant or runtime.value))}",
            fix=write(meant),
            severity="warning" if _FUTURE.fullmatch(runtime.value) else None,
        )


UNKNOWN_RUNTIME = CheckedRule(
    id="C210",
    title="unknown runtime",
    meaning="""\
AWS Lambda has no runtime with this name. A name that a future runtime may well have (`python3.19`) is
only a warning: AWS adds runtimes, and the list in this program may be out of date.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"runtime": "phyton3.13"',
        right='"runtime": "python3.13"',
    ),
    check=_check_unknown,
)


def _check_deprecated(context: Context) -> Iterator[Problem]:
    for runtime in _runtimes(context):
        if since := _DEPRECATED.get(runtime.value):
            found = f"{quoted(runtime.value)}, without security fixes since {since}"
            yield _unsupported(DEPRECATED_RUNTIME, runtime, found)


DEPRECATED_RUNTIME = CheckedRule(
    id="C211",
    title="deprecated runtime",
    severity="warning",
    meaning="""\
AWS no longer patches this Lambda runtime, but still lets you create functions with it for some time.
Nothing breaks today; choose a supported runtime when you next change the function.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"runtime": "python3.10"',
        right='"runtime": "python3.13"',
    ),
    check=_check_deprecated,
)

RULES = (RETIRED_RUNTIME, UNKNOWN_RUNTIME, DEPRECATED_RUNTIME)
