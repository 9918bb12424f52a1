"""The model's process says errors as the API does, though it cannot import the words."""

from __future__ import annotations

import json

import pytest

from centralized_ml_api.api import error_shape
from centralized_ml_api.local.python_engine.mlapi_model_server import refusal

SAME = [
    (refusal.unknown_path(), error_shape.UNKNOWN_PATH),
    (refusal.wrong_method(), error_shape.METHOD_NOT_ALLOWED),
    (refusal.overloaded(), error_shape.OVERLOADED),
    (refusal.stopping(), error_shape.MODEL_NOT_READY),
]
SAME_WORDS = [
    (refusal.unsupported_content_type("a/b", "c/d"), error_shape.UNSUPPORTED_MEDIA_TYPE),
    (refusal.refused_input("why"), error_shape.MODEL_REFUSED),
]


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_an_error_is_the_apis_own(ours: refusal.Refusal, theirs: error_shape.ApiError) -> None:
    assert ours.status == theirs.status
    assert ours.body("some-id").decode() == error_shape.render_error(theirs, "some-id")


@pytest.mark.parametrize(("ours", "theirs"), SAME_WORDS)
def test_an_error_about_the_model_has_the_apis_words(
    ours: refusal.Refusal, theirs: error_shape.ApiError
) -> None:
    assert (ours.status, ours.kind, ours.code) == (theirs.status, theirs.type, theirs.code)
    assert ours.message in ours.body("some-id").decode()


def test_a_bug_is_the_models_and_names_only_its_reference() -> None:
    bug = refusal.model_broke("abc")
    assert bug.status == 500
    assert (bug.kind, bug.code) == (error_shape.MODEL_FAILED.type, error_shape.MODEL_FAILED.code)
    assert json.loads(bug.body("abc"))["error"]["request_id"] == "abc"
    assert refusal.RETRY_AFTER_SECONDS == error_shape.RETRY_AFTER_SECONDS
