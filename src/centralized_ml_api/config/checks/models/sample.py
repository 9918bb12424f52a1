"""A sample that names a file: C114."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.resolve import candidate_paths, is_file
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.sample import FILE_KEY, file_of, names_file
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for entry in context.entries:
        sample = entry.object("sample")
        if sample is None or not names_file(sample.value):
            continue
        path = file_of(sample.value)
        if path is None:
            yield MISSING_SAMPLE.problem(
                sample.location,
                found=f'"{FILE_KEY}" without a path, or together with other keys',
                expected=f'"{FILE_KEY}" alone, with the path of a file',
                fix=f'write {{"{FILE_KEY}": "samples/cat.png"}}, or a body without "{FILE_KEY}"',
            )
        elif not any(map(is_file, candidate_paths(path, context.folders))):
            yield MISSING_SAMPLE.problem(
                sample.location,
                found=f"{quoted(path)}, which is not a file",
                expected=f"a file: {listed(map(str, candidate_paths(path, context.folders)))}",
                fix="put the file there, or correct the path",
            )


MISSING_SAMPLE = CheckedRule(
    id="C114",
    title="missing sample file",
    meaning="""\
A `sample` is a request body that works. A body that is not JSON, such as an image or a recording, is
stored in a file: `{"$file": "models/ocr/sample.png"}`. A relative path starts at the project root or,
where nothing is found there, at the config's own folder. `takes` gives the media type; without it, the
file name does.""",
    example=Example(
        at="$.models[1]",
        wrong='"sample": {"$file": "models/ocr/sampel.png"}',
        right='"sample": {"$file": "models/ocr/sample.png"}',
    ),
    check=_check,
)

RULES = (MISSING_SAMPLE,)
