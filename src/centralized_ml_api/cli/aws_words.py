"""Finds in the answer to a call what AWS said, and explains it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors

if TYPE_CHECKING:
    from centralized_ml_api.aws.failures.failure import Failure

_CARRIES_WORDS_OF_OTHERS = {
    errors.MODEL_FAILED.code,
    errors.MODEL_REFUSED.code,
    errors.REFUSED_BY_SAGEMAKER.code,
}
_LONGEST = 20_000
"""How many bytes of an answer are read; what AWS says is far shorter."""


def explain_answer(content: bytes) -> Failure | None:
    """Returns the known failure of AWS that the body of a failed answer shows, None where it shows none.

    What the API itself says, such as that a team calls too often, is clear as it is and not AWS's.
    """
    from centralized_ml_api.aws.failures.explain import explain_failures

    text = content[:_LONGEST].decode(errors="replace")
    if _code_of(text) not in {None, *_CARRIES_WORDS_OF_OTHERS}:
        return None
    found = explain_failures(text.splitlines())
    return found[0].failure if found else None


def render_explanation(failure: Failure) -> str:
    """Renders what a failure of AWS means, with its fix and the page that says more."""
    return f"That means: {failure.title}\n  fix: {failure.fix}\n  read: {failure.page}"


def _code_of(text: str) -> str | None:
    """Returns the code of an error in the API's own shape, None for any other body."""
    try:
        code = json.loads(text)["error"]["code"]
    except (ValueError, LookupError, TypeError):
        return None
    return code if isinstance(code, str) and code in errors.ERRORS else None
