from __future__ import annotations

import json
from pathlib import Path

import pytest

from centralized_ml_api.api import error_shape
from centralized_ml_api.api.error_shape import ERRORS, ApiError, render_error

WRITTEN = json.loads(Path(error_shape.__file__).with_name("errors.json").read_text())


def test_the_shape_is_the_contracts() -> None:
    text = render_error(ApiError(418, "a_type", "a_code", 'tea "é" \u2028'), "req-1")
    assert text.isascii()
    assert json.loads(text) == {
        "error": {"message": 'tea "é" \u2028', "type": "a_type", "code": "a_code", "request_id": "req-1"}
    }


def test_every_error_is_an_error_with_a_sentence_and_a_type_that_is_explained() -> None:
    for error in ERRORS.values():
        assert 400 <= error.status < 600
        assert error.type in WRITTEN["types"]
        assert error.message.endswith(".")
        assert "{" not in error.message


def test_an_error_is_a_constant_of_the_name_of_its_code() -> None:
    constants = {name: value for name, value in vars(error_shape).items() if isinstance(value, ApiError)}
    assert constants == {name: ERRORS[name.lower()] for name in constants}
    assert len(constants) > 20


def test_a_message_with_placeholders_is_filled_and_all_else_stays() -> None:
    error = error_shape.BODY_TOO_LARGE.with_message("over_limit", megabytes=6, bytes=6291456)
    message = "The request body exceeds this API's limit of 6 MB (6291456 bytes)."
    assert error == ApiError(413, "invalid_request_error", "body_too_large", message)


def test_a_value_with_braces_stays_as_it_is() -> None:
    error = error_shape.UNKNOWN_PATH.with_message("listing", paths="GET /v1/models/{model}")
    assert error.message == "Nothing is served at this path. Available: GET /v1/models/{model}."


@pytest.mark.parametrize(("name", "values"), [("unknown", {}), ("over_limit", {"bytes": 1})])
def test_a_message_that_is_not_written_or_not_filled_is_a_bug(name: str, values: dict[str, object]) -> None:
    with pytest.raises(KeyError):
        error_shape.BODY_TOO_LARGE.with_message(name, **values)
