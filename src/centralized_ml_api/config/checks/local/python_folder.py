"""The folder that the engine `python` runs, the file `inference.py` in it, and its threads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.resolve import candidate_paths, is_file, is_folder, resolve_folder
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.schema import THREADS_VARIABLE
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_FILE = "inference.py"
_THREADS = re.compile(r"[1-9][0-9]{0,3}")


def _check_file(context: Context) -> Iterator[Problem]:
    for local in context.locals_of("python"):
        code = local.string("code")
        if code is None or not code.value.strip():
            continue
        folder = resolve_folder(code.value, context.folders)
        if not is_folder(folder):
            candidates = listed(map(str, candidate_paths(code.value, context.folders)))
            yield MISSING_INFERENCE.problem(
                code.location,
                found=f"{quoted(code.value)}, which is not a folder",
                expected=f"a folder with {_FILE}: {candidates}",
                fix="create the folder, or correct the path",
            )
        elif not is_file(folder / _FILE):
            yield MISSING_INFERENCE.problem(
                code.location,
                found=f"no {_FILE} in {folder}",
                expected=f"the file {folder / _FILE}",
                fix="add the file, or name the folder that has it",
            )


MISSING_INFERENCE = CheckedRule(
    id="C306",
    title="missing inference.py",
    meaning="""\
The engine `python` runs a folder that contains a file `inference.py`, as SageMaker's own containers do.
The file defines `model_fn`, and `input_fn`, `predict_fn`, `output_fn` or `transform_fn` as needed. A
relative path starts at the project root or, where nothing is found there, at the config's own folder.

Source: https://sagemaker.readthedocs.io/en/stable/frameworks/pytorch/using_pytorch.html (inference.py)""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "python", "code": "models/orc"}',
        right='"local": {"engine": "python", "code": "models/ocr"}',
    ),
    check=_check_file,
)


def _check_threads(context: Context) -> Iterator[Problem]:
    for local in context.locals_of("python"):
        environment = local.object("environment")
        threads = environment.string(THREADS_VARIABLE) if environment else None
        if threads and not _THREADS.fullmatch(threads.value):
            yield MALFORMED_THREADS.problem(
                threads.location, found=quoted(threads.value), expected='a number from "1" to "9999"'
            )


MALFORMED_THREADS = CheckedRule(
    id="C308",
    title="malformed number of threads",
    meaning="""\
`MODEL_SERVER_THREADS` in the environment of a model with the engine `python` is the number of requests that
one of its processes runs at once: a whole number from 1 to 9999, written as a string, like all environment
variables.""",
    example=Example(
        at="$.models[2].local",
        wrong='"environment": {"MODEL_SERVER_THREADS": "many"}',
        right='"environment": {"MODEL_SERVER_THREADS": "4"}',
    ),
    check=_check_threads,
)

RULES = (MISSING_INFERENCE, MALFORMED_THREADS)
