# ruff: noqa: INP001  a Lambda function's folder is not a package
"""Reads the body of JumpStart's text generation. Pure.

`{"text_inputs": "a text" or ["several"], ...parameters}` returns `{"generated_texts": [...]}`.
Source: https://github.com/aws/amazon-sagemaker-examples, Amazon_JumpStart_Text_Generation.ipynb
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_MAX_NEW_TOKENS = 128
"""The default: a few seconds for a small model on a laptop."""

MOST_TEXTS = 32
"""The most texts that a call may request: input texts times `num_return_sequences`."""

IGNORED = frozenset({"early_stopping", "length_penalty", "max_time", "no_repeat_ngram_size", "num_beams"})
"""Parameters of JumpStart's own container that neither server here supports."""


class RefusedError(ValueError):
    """The body is invalid; the message is for the caller."""


class UnexpectedAnswerError(ValueError):
    """The model server's response does not have the configured form."""


def read_texts(body: dict[str, Any]) -> list[str]:
    """Returns the texts to continue, one or several.

    Raises:
        RefusedError: `text_inputs` is neither a text nor a list of texts.
    """
    texts = body["text_inputs"]
    if isinstance(texts, str):
        return [texts]
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise RefusedError("text_inputs must be a string or a list of strings that is not empty")
    return texts


def read_parameters(body: dict[str, Any]) -> dict[str, Any]:
    """Checks the parameters; in the result, `num_return_sequences` and `max_new_tokens` always have a value.

    Raises:
        RefusedError: A parameter is unknown or has an invalid value.
    """
    given = {name: value for name, value in body.items() if name != "text_inputs" and value is not None}
    for name, value in given.items():
        _check(name, value)
    # `max_length` includes the input text; only the server can count that, so this is an upper bound.
    longest = given.pop("max_length", DEFAULT_MAX_NEW_TOKENS)
    stop = given.get("stop", [])
    return {
        "num_return_sequences": 1,
        "max_new_tokens": longest,
        **{name: value for name, value in given.items() if name not in IGNORED},
        **({"stop": [stop] if isinstance(stop, str) else stop} if stop else {}),
    }


def check_number(texts: list[str], parameters: dict[str, Any]) -> None:
    """Refuses a call that requests more texts than `MOST_TEXTS`."""
    number = len(texts) * parameters["num_return_sequences"]
    if number > MOST_TEXTS:
        raise RefusedError(f"one call may ask for {MOST_TEXTS} texts, and this one asks for {number}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_integer(value) and value >= 1


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_not_negative(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 < value <= 1


def _is_stop(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(text, str) for text in value)
    )


_COUNT = (_is_count, "a whole number from 1 on")
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "do_sample": (_is_boolean, "true or false"),
    "max_length": _COUNT,
    "max_new_tokens": _COUNT,
    "num_return_sequences": _COUNT,
    "repetition_penalty": (_is_positive, "a number above 0"),
    "return_full_text": (_is_boolean, "true or false"),
    "seed": (_is_integer, "a whole number"),
    "stop": (_is_stop, "a string or a list of strings"),
    "temperature": (_is_not_negative, "a number from 0 on"),
    "top_k": _COUNT,
    "top_p": (_is_share, "a number above 0 and up to 1"),
}


def _check(name: str, value: Any) -> None:
    if name in IGNORED:
        return
    if name not in _RULES:
        known = ", ".join(["text_inputs", *_RULES])
        raise RefusedError(f'unknown parameter "{name}"; known are {known}')
    fits, expected = _RULES[name]
    if not fits(value):
        raise RefusedError(f"{name} must be {expected}")
