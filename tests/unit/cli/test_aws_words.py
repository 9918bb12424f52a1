"""What AWS says in the answer to a call is explained; what the API says itself is not taken for it."""

from __future__ import annotations

import json

import pytest

from centralized_ml_api.api.error_shape import ERRORS, build_error
from centralized_ml_api.cli.aws_words import explain_answer, render_explanation


def explained(content: str) -> str | None:
    """Returns the id of the failure that a body shows."""
    failure = explain_answer(content.encode())
    return failure.id if failure else None


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ("Need to pass custom_attributes='accept_eula=true' as part of header.", "eula"),
        ("HTTP content length exceeded 5246976 bytes.", "request-size"),
        ('Received client error (400) from primary with message "no"', "model-refused"),
        ("You don't have access to the model with the specified model ID.", "bedrock-access"),
        ("ThrottlingException: Too many tokens, please wait before trying again.", "throttled"),
    ],
)
def test_the_words_of_aws_are_explained_in_any_body_that_may_carry_them(said: str, failure: str) -> None:
    own = {"error": {"message": said, "type": "invalid_request_error", "code": "refused_by_sagemaker"}}
    assert explained(json.dumps(own)) == failure
    assert explained(json.dumps({"Message": said})) == failure
    assert explained(f"Traceback (most recent call last):\n  …\nbotocore.ClientError: {said}\n") == failure


@pytest.mark.parametrize("code", ERRORS)
def test_what_the_api_says_itself_is_not_of_aws(code: str) -> None:
    assert explained(json.dumps(build_error(ERRORS[code], "id"))) is None


@pytest.mark.parametrize("content", ["", "no", "{", "[]", '{"error": null}', '{"error": {"code": []}}'])
def test_other_bodies_show_nothing(content: str) -> None:
    assert explained(content) is None
    assert explain_answer(b"\xff\xfe" + content.encode()) is None


def test_an_explanation_has_a_fix_and_a_page() -> None:
    failure = explain_answer(b"Rate exceeded")
    assert failure
    title, fix, page = render_explanation(failure).splitlines()
    assert title == "That means: nothing is wrong: AWS was asked too much at once"
    assert fix.startswith("  fix: wait a minute, then run it again")
    assert page == "  read: docs/how-to/troubleshoot-aws.md#throttled"
