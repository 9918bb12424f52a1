"""Messages in the forms in which a deploy meets them: alone, as a stack event, in the CDK's last line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from centralized_ml_api.aws.failures.explain import (
    build_aws_error,
    build_cdk_error,
    explain_error,
    explain_failures,
)
from centralized_ml_api.aws.failures.known import UNKNOWN, failure_of
from support.aws_messages import AwsMessage, load_messages

LOG = Path("cdk.log")
FAILED = "Model | 1/9 | 3:44:05 PM | CREATE_FAILED | AWS::SageMaker::Model | Model (ModelA1)\n"
CREATION = (
    "❌  Api failed: _ToolkitError: The stack named Api failed creation, it may need to be manually deleted"
    " from the AWS console: ROLLBACK_COMPLETE: {}"
)
UPDATE = "❌  Api failed: Error: The stack named Api failed to deploy: UPDATE_ROLLBACK_COMPLETE: {}"
IN_BRACKETS = "❌  Api failed: Error: The stack named Api failed to deploy: UPDATE_ROLLBACK_COMPLETE ({})"
DELETION = (
    "❌  Api failed: Error: The stack named Api is in a failed state. You may need to delete it from the AWS"
    " console : DELETE_FAILED ({})"
)
FORMS = {"creation": CREATION, "update": UPDATE, "brackets": IN_BRACKETS, "deletion": DELETION}


def deploy(text: str, *reasons: str) -> tuple[str, str]:
    """Returns the message and the fix for a failed deploy."""
    error = build_cdk_error("deploying Api failed", text, reasons, LOG)
    return error.message, error.fix


@pytest.mark.parametrize("message", load_messages(), ids=lambda message: message.failure)
def test_a_message_has_one_meaning_in_every_form(message: AwsMessage) -> None:
    title, page = failure_of(message.failure).title, failure_of(message.failure).page
    found = explain_failures(message.text.splitlines())
    assert [explained.failure.id for explained in found] == [message.failure]
    as_reason = deploy(FAILED + CREATION.format("other words"), f"Model1 (AWS::X::Y): {message.text}")
    as_lines = [deploy(form.format(message.text)) for form in FORMS.values()]
    for said, fix in [as_reason, *as_lines]:
        assert said.startswith(f"deploying Api failed: {title}\n")
        assert fix.count("read: ") == 1
        assert f"read: {page}\n" in fix


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_unknown_reason_is_shown_in_its_own_words_and_under_no_name(form: str) -> None:
    chance = random.Random(form)  # noqa: S311  # random words, no secrets
    for _ in range(100):
        reason = " ".join(_word(chance) for _ in range(chance.randint(1, 12)))
        for said, fix in (
            deploy(form.format(reason)),
            deploy(FAILED + form.format("quota"), f"Model1 (AWS::SageMaker::Model): {reason}"),
        ):
            assert said.startswith(f"deploying Api failed: {UNKNOWN.title}\n")
            assert reason in said
            assert UNKNOWN.page in fix
            assert "#stack-busy" not in fix


def test_the_reasons_of_an_older_failure_do_not_explain_this_one() -> None:
    older = "Model1 (AWS::SageMaker::Model): Caller is not subscribed to the marketplace offering."
    said, _ = deploy("ExpiredToken: The security token included in the request is expired", older)
    assert said.startswith("deploying Api failed: the AWS credentials have expired\n")
    state = "Stack:arn:x is in UPDATE_ROLLBACK_FAILED state and can not be updated."
    said, fix = deploy(f"ValidationError: {state}", older)
    assert "#stack-busy" in fix
    assert "subscribed" not in said


def test_every_reason_is_shown_the_first_one_first() -> None:
    said, fix = deploy(
        FAILED,
        "A (T): something new",
        "B (T): Rate exceeded",
        "C (T): something else new",
        "D (T): Too Many Requests",
    )
    assert said.splitlines() == [
        f"deploying Api failed: {UNKNOWN.title}",
        "  A (T): something new",
        "  nothing is wrong: AWS was asked too much at once: B (T): Rate exceeded",
        f"  {UNKNOWN.title}: C (T): something else new",
    ]
    assert fix.count("read: ") == 2


def test_of_many_unknown_reasons_the_first_ones_are_shown_and_all_known_ones() -> None:
    new = [f"M{number} (T): something new {number}" for number in range(9)]
    said, _ = deploy(FAILED, *new, "Last (T): Rate exceeded")
    assert [line for line in said.splitlines() if "something new" in line] == [
        f"  {new[0]}",
        *(f"  {UNKNOWN.title}: {reason}" for reason in new[1:5]),
    ]
    assert "Last (T): Rate exceeded" in said


def test_a_consequence_is_left_out_where_a_cause_is_known_and_shown_where_none_is() -> None:
    warning = "current credentials could not be used to assume 'x', but are for the right account."
    upload = "Failed to publish asset Fn/Code"
    found = explain_failures([warning, upload, "Has the environment been bootstrapped?"])
    assert [explained.failure.id for explained in found] == ["not-bootstrapped"]
    assert [explained.failure.id for explained in explain_failures([warning, upload])] == [
        "bootstrap-roles",
        "upload",
    ]
    assert deploy(f"{warning}\n{CREATION.format('something new')}")[0].count(UNKNOWN.title) == 1


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_a_state_without_a_reason_is_no_reason(state: str) -> None:
    line = CREATION.removesuffix(": {}").replace("ROLLBACK_COMPLETE", state)
    assert explain_failures([line]) == ()
    assert deploy(line)[0] == f"deploying Api failed: {UNKNOWN.title}\n  {line}"


def test_an_error_of_an_sdk_is_explained_and_an_odd_one_is_not() -> None:
    known = explain_error(RuntimeError("An error occurred (Throttling): Rate exceeded"))
    assert known is failure_of("throttled")
    assert explain_error(RuntimeError("An error occurred (Odd): oddly so")) is None


def test_a_failed_call_has_the_failure_the_words_of_aws_and_the_entry_that_explains_it() -> None:
    failure = failure_of("throttled")
    error = build_aws_error("cannot see who may join", RuntimeError("(Throttling): Rate exceeded"))
    assert error.message == f"cannot see who may join: {failure.title}\n  (Throttling): Rate exceeded"
    assert failure.fix in error.fix
    assert failure.page in error.fix
    odd = build_aws_error("cannot see who may join", RuntimeError("oddly so"))
    assert (odd.message, odd.fix) == ("cannot see who may join: oddly so", "")


def _word(chance: random.Random) -> str:
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.randint(2, 9)))
