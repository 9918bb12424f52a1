from __future__ import annotations

import json

from centralized_ml_api.api import error_shape
from centralized_ml_api.api.error_shape import ApiError, render_error

ALL = [one for one in vars(error_shape).values() if isinstance(one, ApiError)]


def test_the_shape_is_the_contracts() -> None:
    text = render_error(ApiError(418, "a_type", "a_code", 'tea "é" \u2028'), "req-1")
    assert text.isascii()
    assert json.loads(text) == {
        "error": {"message": 'tea "é" \u2028', "type": "a_type", "code": "a_code", "request_id": "req-1"}
    }


def test_a_code_names_one_case() -> None:
    codes = [one.code for one in ALL]
    assert sorted(set(codes)) == sorted(codes)


def test_every_error_is_an_error_with_a_sentence() -> None:
    for one in ALL:
        assert 400 <= one.status < 600
        assert one.message.endswith(".")
