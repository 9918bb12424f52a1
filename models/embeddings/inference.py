"""Embeds English texts with all-MiniLM-L6-v2, with the bodies of OpenAI's embeddings API.

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
"""The limit of OpenAI's API."""

CHARACTERS_AT_MOST = 200_000
"""The limit per request: ten for each token. Counting the tokens of a 6 MB body would take 15 seconds."""

ALL_TOKENS_AT_MOST = 20_000
"""The limit per request, because others wait meanwhile: about ten seconds on two cores."""


class RefusedError(ValueError):
    """A caller's mistake that only the model can see: the server answers with `status_code`."""

    status_code = 400


@dataclass(frozen=True, slots=True)
class Question:
    """A request for the vectors of `texts`, as lists of numbers or in base64."""

    texts: list[str]
    base64: bool
    model: str


def model_fn(model_dir: str) -> MiniLM:
    """Loads the model from the wheel in `model_dir`."""
    return MiniLM.load(next(Path(model_dir).glob("*.whl")))


def input_fn(body: str | bytes, content_type: str) -> Question:
    """Reads a body of OpenAI's embeddings API.

    Raises:
        TypeError, ValueError: It is not such a body.
    """
    del content_type  # it must be JSON, although curl calls it a form by default
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise TypeError('The body must be a JSON object such as {"input": "some text"}.')
    _check_dimensions(value.get("dimensions"))
    return Question(
        _read_texts(value.get("input")), _wants_base64(value.get("encoding_format")), _model(value)
    )


def predict_fn(question: Question, model: MiniLM) -> dict[str, Any]:
    """Returns the response of OpenAI's embeddings API.

    Raises:
        RefusedError: A text, or all texts together, have too many tokens.
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
    """Returns the response and its content type, always JSON."""
    del accept
    return json.dumps(prediction), "application/json"


def _read_texts(written: object) -> list[str]:
    texts = [written] if isinstance(written, str) else written
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError('"input" must be a text or a list of texts. Lists of token ids are not supported.')
    if len(texts) > TEXTS_AT_MOST:
        raise ValueError(f'"input" has {len(texts)} texts; at most {TEXTS_AT_MOST} are accepted at once.')
    if not all(texts):
        raise ValueError(f'"input" has an empty text at {texts.index("")}.')
    _check_length(texts)
    _check_unicode(texts)
    return texts


def _check_length(texts: Sequence[str]) -> None:
    characters = sum(map(len, texts))
    if characters > CHARACTERS_AT_MOST:
        raise ValueError(
            f'"input" has {characters} characters; at most {CHARACTERS_AT_MOST} are accepted at once. '
            "Send it in parts."
        )


def _check_unicode(texts: Sequence[str]) -> None:
    """Refuses halves of surrogate pairs, which JSON can contain but which are not characters."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f'"input" is not Unicode text: {error.reason}.') from error


def _wants_base64(written: object) -> bool:
    if written not in (None, "float", "base64"):
        raise ValueError('"encoding_format" must be "float" or "base64".')
    return written == "base64"


def _check_dimensions(written: object) -> None:
    if written not in (None, DIMENSIONS):
        raise ValueError(f'"dimensions" cannot be chosen: this model returns {DIMENSIONS}.')


def _model(value: dict[str, Any]) -> str:
    written = value.get("model")
    return written if isinstance(written, str) else NAME


def _count_tokens(encodings: Sequence[Encoding]) -> int:
    for number, encoding in enumerate(encodings):
        if len(encoding) > TOKENS_AT_MOST:
            raise RefusedError(
                f"The text at {number} has {len(encoding)} tokens; the model reads at most {TOKENS_AT_MOST}. "
                "Split it."
            )
    tokens = sum(map(len, encodings))
    if tokens > ALL_TOKENS_AT_MOST:
        raise RefusedError(
            f'"input" has {tokens} tokens; at most {ALL_TOKENS_AT_MOST} are accepted. Send it in parts.'
        )
    return tokens
