"""C210: a runtime nobody has heard of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.integration.runtimes import (
    CURRENT,
    ENDED,
    RETIRED,
    current_of,
    language_of,
)
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, nearest, quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_PLAUSIBLE = re.compile(
    r"python3\.1[5-9]|nodejs(2[6-9]|3[0-9])\.x|java(2[6-9]|3[0-9])|dotnet1[1-9]|ruby4\.[1-9]"
)
"""What the next runtimes will be called."""


def _check(context: Context) -> Iterator[Problem]:
    known = {*CURRENT, *ENDED, *RETIRED}
    for properties in context.functions:
        runtime = properties.text("runtime")
        if runtime is None or runtime.value in known:
            continue
        meant = nearest(runtime.value, CURRENT)
        yield RULE.problem(
            runtime.location,
            found=quoted(runtime.value),
            expected=f"a runtime of AWS Lambda: {listed(current_of(language_of(meant or runtime.value)))}",
            fix=write(meant),
            severity="warning" if _PLAUSIBLE.fullmatch(runtime.value) else None,
        )


RULE = Rule(
    id="C210",
    title="unknown runtime",
    meaning="""\
AWS Lambda has no runtime of this name. A name that may well be a coming one (`python3.19`) is only a
warning: AWS adds runtimes, and this list may be older than yours.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"runtime": "phyton3.13"',
        right='"runtime": "python3.13"',
    ),
    check=_check,
)
