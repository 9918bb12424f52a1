"""`mlapi status --target aws`: one line for each endpoint, and what is wrong below them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.aws.stack.status import EndpointStatus, StackStatus
from centralized_ml_api.cli.aws_status import next_words, render_stack
from centralized_ml_api.commands import command
from support.aws_wire import healthy_account, serve_aws
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = ("--stack", "S")
NOW = datetime(2030, 6, 1, 13, 30, tzinfo=UTC)
ENDS = datetime(2030, 6, 1, 16, tzinfo=UTC)
WHOLE = True
"""All of it ends then."""
CHAT = EndpointStatus("chat", "Chat-1", "InService", ((2, "ml.g5.2xlarge"),))
POOL = EndpointStatus("see", "See-1", "Updating", ((1, "ml.g6.xlarge"), (1, "ml.g5.xlarge")))
STATUS = StackStatus("S", "us-east-1", "UPDATE_COMPLETE", "https://api/", ENDS, WHOLE, (CHAT, POOL))


def test_the_address_and_the_end_come_first_then_a_line_for_each_endpoint() -> None:
    assert render_stack(STATUS, NOW, FLAGS).splitlines() == [
        "S in us-east-1: UPDATE_COMPLETE, https://api/",
        "Ends in 2 h 30 min, at 2030-06-01T16:00:00Z",
        "MODEL  STATE      INSTANCES                            ENDPOINT",
        "chat   InService  2 x ml.g5.2xlarge                    Chat-1",
        "see    Updating   1 x ml.g6.xlarge + 1 x ml.g5.xlarge  See-1",
    ]
    assert next_words(STATUS, FLAGS) == ("smoke", "https://api/")


def test_the_start_is_shown_until_it_has_passed() -> None:
    status = replace(STATUS, starts=NOW + timedelta(hours=1))
    starts = "Starts in 1 h, at 2030-06-01T14:30:00Z; until then keys are refused"
    assert render_stack(status, NOW, FLAGS).splitlines()[1] == starts
    assert "Starts" not in render_stack(status, NOW + timedelta(hours=1), FLAGS)


def test_a_secret_without_a_providers_key_is_told_with_its_fix() -> None:
    status = replace(STATUS, keyless=("ApiSecretsEnv1",))
    assert not status.is_well
    assert render_stack(status, NOW, FLAGS).splitlines()[2:4] == [
        "ApiSecretsEnv1 holds no provider's key",
        "  fix: deploy again, with the key where the config says",
    ]


def test_that_nobody_gets_the_mails_is_told_with_its_fix() -> None:
    status = replace(STATUS, mail="nobody is subscribed", mail_fix="aws sns subscribe")
    assert render_stack(status, NOW, FLAGS).splitlines()[2:4] == [
        "mail: nobody is subscribed",
        "  fix: aws sns subscribe",
    ]


def test_what_runs_another_configuration_is_told_with_its_fix() -> None:
    wrong = replace(CHAT, trouble="the stack says otherwise", fix="aws sagemaker update-endpoint")
    status = replace(STATUS, endpoints=(wrong,), ends=None)
    assert render_stack(status, NOW, FLAGS).splitlines()[-3:] == [
        "",
        "chat: the stack says otherwise",
        "  fix: aws sagemaker update-endpoint",
    ]
    assert next_words(status, FLAGS) == ("doctor", "--target", "aws", "--stack", "S")


def test_after_the_end_what_is_left_is_said_to_be_deleted_again() -> None:
    gone = replace(CHAT, state="Absent", instances=())
    lines = render_stack(replace(STATUS, state="DELETE_FAILED", endpoints=(gone,)), ENDS, FLAGS).splitlines()
    assert lines[1] == "Ended at 2030-06-01T16:00:00Z; what is left is deleted again every half hour"
    assert lines[-1] == "chat   Absent  none       Chat-1"


def test_an_end_that_was_moved_in_part_and_a_stack_without_endpoints() -> None:
    moved_to = ENDS + timedelta(days=1)
    status = replace(STATUS, is_end_whole=False, latest_end=moved_to, endpoints=(), address="")
    again = command("extend", "2030-06-02T16:00:00Z", "--target", "aws", *FLAGS)
    assert render_stack(status, NOW, FLAGS).splitlines() == [
        "S in us-east-1: UPDATE_COMPLETE, without an address",
        "Ends in 2 h 30 min, at 2030-06-01T16:00:00Z",
        f"Not everything ends then; move the end once more: {again}",
        "There are no endpoints of its own.",
    ]


def test_what_is_not_deployed_is_said_with_what_to_do(tmp_path: Path) -> None:
    with serve_aws(healthy_account()) as wire:
        environment = {
            "AWS_ENDPOINT_URL": wire.url,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        ran = mlapi("status", "--target", "aws", cwd=tmp_path, environment=environment)
    assert (ran.status, ran.out) == (1, "")
    assert "CentralizedMlApiStack is not deployed in us-east-1" in ran.talk
    assert "mlapi deploy" in ran.talk


def test_watching_is_for_this_machine(tmp_path: Path) -> None:
    ran = mlapi("status", "--target", "aws", "--watch", cwd=tmp_path)
    assert ran.status == 2
    assert "--watch shows this machine only" in ran.talk
