"""C201: a header that HTTP does not allow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_HEADER = re.compile(r"[A-Za-z0-9-]{1,256}")


def _check(context: Context) -> Iterator[Problem]:
    for integration in context.integrations:
        for header in integration.texts("headers"):
            if not _HEADER.fullmatch(header.value):
                suggestion = re.sub(r"[^A-Za-z0-9-]+", "-", header.value.partition(":")[0].strip()).strip("-")
                yield RULE.problem(
                    header.location,
                    found=quoted(header.value),
                    expected="the name of a header: letters, digits and hyphens",
                    fix=write(suggestion),
                )


RULE = Rule(
    id="C201",
    title="malformed header",
    meaning="""\
`headers` names request headers that are passed through to the model: names only, without values, made of
letters, digits and hyphens. API Gateway and SageMaker take no others.""",
    example=Example(
        at="$.models[1].integration", wrong='"headers": ["X-Team: red"]', right='"headers": ["X-Team"]'
    ),
    check=_check,
)
