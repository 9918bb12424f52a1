"""C104: one path for two entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.document import json_path
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document import Node
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    first: dict[str, Node[str]] = {}
    for entry in context.entries:
        name = entry.text("name")
        if name is None:
            continue
        earlier = first.setdefault(name.value, name)
        if earlier.path != name.path:
            yield RULE.problem(
                name.location,
                found=f"{quoted(name.value)}, as {json_path(earlier.path)} on line {earlier.location.line}",
                expected="a name that no other model or endpoint has",
                fix="rename one of the two",
            )


RULE = Rule(
    id="C104",
    title="duplicate name",
    meaning="""\
Two entries have the same name and so the same path. Names are unique over `models` and `endpoints`
together.""",
    example=Example(at="$.endpoints[0]", wrong='"name": "open-llama"', right='"name": "adopted"'),
    check=_check,
)
