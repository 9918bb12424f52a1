"""C207: the function's folder is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.resolve import candidate_paths, exists, is_folder, resolve_folder
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for properties in context.functions:
        code = properties.text("code")
        if code is None or not code.value.strip():
            continue
        if is_folder(resolve_folder(code.value, context.folders)):
            continue
        tried = candidate_paths(code.value, context.folders)
        there = any(exists(place) for place in tried)
        yield RULE.problem(
            code.location,
            found=f"{quoted(code.value)}, which is no folder"
            if there
            else f"{quoted(code.value)}, which is not there",
            expected=f"a folder: {listed(map(str, tried))}",
            fix="name the folder that holds the file, not the file"
            if there
            else "make the folder, or correct the path",
        )


RULE = Rule(
    id="C207",
    title="missing code folder",
    meaning="""\
`code` names the folder of the function. A relative path starts at the project root (the nearest folder
above the config with a `cdk.json`, else the folder in which the command runs) or, where nothing is found
there, at the config's own folder. Both places are named.""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"code": "functions/exmaple_function"',
        right='"code": "functions/example_function"',
    ),
    check=_check,
)
