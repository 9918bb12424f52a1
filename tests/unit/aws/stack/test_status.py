"""What is deployed, asked of CloudFormation, EventBridge and SageMaker."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.stack.deployed_stack import StackResource
from centralized_ml_api.aws.stack.ending import load_ending
from centralized_ml_api.aws.stack.status import EndpointStatus, StackStatus, load_stack_status
from centralized_ml_api.errors import DeployError
from support.aws_wire import Answer, refusal, stack_in, stack_resources, subscriptions, xml_refusal

if TYPE_CHECKING:
    from support.aws_wire import AwsWire

ENDS = datetime(2030, 6, 1, 16, tzinfo=UTC)
WHOLE = True
"""All of it ends then."""
LATER = ENDS + timedelta(minutes=10)
SCHEDULE = "AWS::Scheduler::Schedule"
ENDPOINT = EndpointStatus("chat", "Chat-1", "InService", ((1, "ml.g5.2xlarge"),))
STATUS = StackStatus("S", "us-east-1", "UPDATE_COMPLETE", "https://api/", ENDS, WHOLE, (ENDPOINT,), ENDS)


def schedule(aws: AwsWire, name: str, call: str, start: datetime, state: str = "ENABLED") -> StackResource:
    """A schedule of a deployed stack."""
    aws.answers[f"scheduler.GET /schedules/{name}"] = Answer(
        200,
        {
            "Name": name,
            "StartDate": start.timestamp(),
            "State": state,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": f"arn:aws:scheduler:::aws-sdk:{call}", "RoleArn": "r", "Input": "{}"},
        },
    )
    return StackResource(SCHEDULE, name, name)


def whole(aws: AwsWire, *, endpoint: datetime, stack: datetime, state: str = "ENABLED") -> Any:
    """The end of a stack with one endpoint."""
    resources = [
        schedule(aws, "s", "cloudformation:deleteStack", stack),
        schedule(aws, "e", "sagemaker:deleteEndpoint", endpoint, state),
    ]
    return load_ending(AwsClients("us-east-1"), resources)


def test_the_event_ends_with_its_endpoints_and_the_stack_follows(aws: AwsWire) -> None:
    ending = whole(aws, endpoint=ENDS, stack=LATER)
    assert ending.start == ENDS
    assert ending.is_consistent


@pytest.mark.parametrize(
    "parts",
    [
        {"endpoint": ENDS, "stack": LATER + timedelta(hours=1)},
        {"endpoint": ENDS + timedelta(hours=1), "stack": LATER},
        {"endpoint": ENDS, "stack": LATER, "state": "DISABLED"},
    ],
    ids=["endpoints earlier", "stack earlier", "switched off"],
)
def test_schedules_that_do_not_belong_together_are_seen(aws: AwsWire, parts: dict[str, Any]) -> None:
    assert not whole(aws, **parts).is_consistent


def test_schedules_that_are_deleted_or_have_no_name_yet_end_nothing(aws: AwsWire) -> None:
    aws.answers["scheduler.GET /schedules/gone"] = refusal("ResourceNotFoundException", "no schedule", 404)
    absent = [StackResource(SCHEDULE, "gone", "gone"), StackResource(SCHEDULE, "soon", "")]
    clients = AwsClients("us-east-1")
    assert load_ending(clients, absent) is None
    ending = load_ending(clients, [*absent, schedule(aws, "s", "cloudformation:deleteStack", ENDS)])
    assert ending
    assert (list(ending.whole), list(ending.endpoints), ending.start) == (["s"], [], ENDS)


@pytest.mark.parametrize(
    ("endpoint", "stack", "latest"),
    [
        (ENDS, LATER, ENDS),
        (ENDS, LATER + timedelta(hours=1), ENDS + timedelta(hours=1)),
        (ENDS + timedelta(hours=1), LATER, ENDS + timedelta(hours=1)),
    ],
    ids=["one end", "endpoints earlier", "stack earlier"],
)
def test_the_latest_end_is_where_a_move_that_failed_in_the_middle_led(
    aws: AwsWire, endpoint: datetime, stack: datetime, latest: datetime
) -> None:
    assert whole(aws, endpoint=endpoint, stack=stack).latest == latest


@pytest.mark.parametrize(
    ("moved_by", "order"),
    [
        (timedelta(days=1), ["deleteStack", "deleteEndpoint"]),
        (timedelta(days=-1), ["deleteEndpoint", "deleteStack"]),
    ],
    ids=["later", "earlier"],
)
def test_a_move_never_lets_the_stack_go_before_its_endpoints(
    aws: AwsWire, moved_by: timedelta, order: list[str]
) -> None:
    """The deletion of the stack moves first to a later end, and last to an earlier one; both are on then."""
    moved: list[tuple[str, float]] = []

    def keep(body: str) -> Answer:
        asked = json.loads(body)
        assert asked["State"] == "ENABLED"
        moved.append((asked["Target"]["Arn"].rpartition(":")[2], asked["StartDate"]))
        return Answer(200, {"ScheduleArn": "a"})

    ending = whole(aws, endpoint=ENDS, stack=LATER, state="DISABLED")
    for name in ("s", "e"):
        aws.spoken[f"scheduler.PUT /schedules/{name}"] = keep
    until = ENDS + moved_by
    ending.move(AwsClients("us-east-1").client("scheduler"), until)
    assert [call for call, _ in moved] == order
    assert dict(moved) == {
        "deleteEndpoint": until.timestamp(),
        "deleteStack": (until + timedelta(minutes=10)).timestamp(),
    }


def test_a_stack_is_described_with_its_state_and_endpoints(aws: AwsWire) -> None:
    aws.answers["cloudformation.DescribeStacks"] = stack_in("UPDATE_COMPLETE")
    aws.answers["cloudformation.ListStackResources"] = stack_resources()
    status = load_stack_status(AwsClients("us-east-1"), "S")
    assert status == StackStatus("S", "us-east-1", "UPDATE_COMPLETE", "", None, WHOLE, ())
    assert status.is_well


def test_the_start_of_the_event_is_an_output_of_the_stack(aws: AwsWire) -> None:
    outputs = "<Outputs><member><OutputKey>EventStarts</OutputKey>"
    outputs += "<OutputValue>2030-06-01T07:00:00Z</OutputValue></member></Outputs>"
    stack = stack_in("UPDATE_COMPLETE")
    told = str(stack.body).replace("</StackStatus>", f"</StackStatus>{outputs}")
    aws.answers["cloudformation.DescribeStacks"] = replace(stack, body=told)
    aws.answers["cloudformation.ListStackResources"] = stack_resources()
    status = load_stack_status(AwsClients("us-east-1"), "S")
    assert status
    assert status.starts == ENDS - timedelta(hours=9)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (subscriptions(("PendingConfirmation", "email")), "you@example.com has not confirmed"),
        (subscriptions(), "nobody is subscribed"),
        (subscriptions(("arn:aws:sns:us-east-1:123456789012:T:1", "email")), ""),
        (xml_refusal("AuthorizationError", "not authorized"), ""),
    ],
    ids=["not confirmed", "gone", "confirmed", "not allowed to ask"],
)
def test_a_status_says_when_nobody_gets_the_mails(aws: AwsWire, answer: Answer, said: str) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:T"
    aws.answers["cloudformation.DescribeStacks"] = stack_in("UPDATE_COMPLETE")
    aws.answers["cloudformation.ListStackResources"] = stack_resources(("AWS::SNS::Topic", "T", topic))
    aws.answers["sns.ListSubscriptionsByTopic"] = answer
    status = load_stack_status(AwsClients("us-east-1"), "S")
    assert status
    assert status.mail.startswith(said)
    assert bool(status.mail) is bool(status.mail_fix) is bool(said)
    assert status.is_well, "the API answers"


def test_where_there_is_no_stack_there_is_no_status(aws: AwsWire) -> None:
    aws.answers["cloudformation.DescribeStacks"] = xml_refusal("ValidationError", "S does not exist", 400)
    assert load_stack_status(AwsClients("us-east-1"), "S") is None


def test_what_aws_refuses_to_say_is_no_status(aws: AwsWire) -> None:
    aws.answers["cloudformation.DescribeStacks"] = stack_in("UPDATE_COMPLETE")
    aws.answers["cloudformation.ListStackResources"] = stack_resources((SCHEDULE, "s", "s"))
    aws.answers["scheduler.GET /schedules/s"] = refusal("AccessDeniedException", "no")
    with pytest.raises(DeployError, match="cannot read the state of S"):
        load_stack_status(AwsClients("us-east-1"), "S")


def changed(**parts: Any) -> StackStatus:
    """A status that is well but for this."""
    values = {name: getattr(STATUS, name) for name in STATUS.__slots__}
    return StackStatus(**{**values, **parts})


@pytest.mark.parametrize(
    ("parts", "well"),
    [
        ({}, True),
        ({"endpoints": (EndpointStatus("chat", "Chat-1", "Updating", ()),)}, True),
        ({"endpoints": (EndpointStatus("chat", "Chat-1", "Failed", ()),)}, False),
        ({"endpoints": (EndpointStatus("chat", "Chat-1", "InService", (), "rolled back"),)}, False),
        ({"is_end_whole": False}, False),
        ({"keyless": ("ApiSecretsEnv1",)}, False),
        ({"state": "DELETE_FAILED"}, False),
        ({"state": "UPDATE_ROLLBACK_COMPLETE"}, False),
    ],
)
def test_whether_all_is_well(parts: dict[str, Any], *, well: bool) -> None:
    assert changed(**parts).is_well is well


def test_scripts_read_the_same() -> None:
    assert STATUS.to_json()["starts"] is None
    assert json.loads(json.dumps(replace(STATUS, starts=ENDS - timedelta(hours=9)).to_json())) == {
        "target": "aws",
        "stack": "S",
        "region": "us-east-1",
        "state": "UPDATE_COMPLETE",
        "address": "https://api/",
        "starts": "2030-06-01T07:00:00Z",
        "ends": "2030-06-01T16:00:00Z",
        "is_end_whole": True,
        "latest_end": "2030-06-01T16:00:00Z",
        "mail": "",
        "mail_fix": "",
        "keyless": [],
        "endpoints": [
            {
                "entry": "chat",
                "endpoint": "Chat-1",
                "state": "InService",
                "instances": [{"count": 1, "type": "ml.g5.2xlarge"}],
                "trouble": "",
                "fix": "",
            }
        ],
    }
