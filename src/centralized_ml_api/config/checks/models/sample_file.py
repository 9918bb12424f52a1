"""C114: a sample that names a file which is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.resolve import candidate_paths, is_file
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.sample import FILE_KEY, file_of, names_file
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for entry in context.entries:
        sample = entry.table("sample")
        if sample is None or not names_file(sample.value):
            continue
        path = file_of(sample.value)
        if path is None:
            yield RULE.problem(
                sample.location,
                found=f'"{FILE_KEY}" without a path, or with other keys beside it',
                expected=f'"{FILE_KEY}" alone, with the path of a file',
                fix=f'write {{"{FILE_KEY}": "samples/cat.png"}}, or a body without "{FILE_KEY}"',
            )
        elif not any(map(is_file, candidate_paths(path, context.folders))):
            yield RULE.problem(
                sample.location,
                found=f"{quoted(path)}, which is no file",
                expected=f"a file: {listed(map(str, candidate_paths(path, context.folders)))}",
                fix="put the file there, or correct the path",
            )


RULE = Rule(
    id="C114",
    title="missing sample",
    meaning="""\
A `sample` is a request body that works. One that is not JSON, such as an image or a recording, is a file:
`{"$file": "models/ocr/sample.png"}`. A relative path starts at the project root or else at the config's own
folder. The media type is the one in `takes`, or else that of the file's name.""",
    example=Example(
        at="$.models[1]",
        wrong='"sample": {"$file": "models/ocr/sampel.png"}',
        right='"sample": {"$file": "models/ocr/sample.png"}',
    ),
    check=_check,
)
