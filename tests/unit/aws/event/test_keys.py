"""`AwsKeys` on the simulated AWS: what a team has, gets and loses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from centralized_ml_api.api.keys import SHOWN_CHARACTERS, is_key
from centralized_ml_api.aws.cdk.target import AwsTarget
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.event.keys import AwsKeys, find_keys, join_plan
from centralized_ml_api.aws.stack.contract import STACK_TAG, key_tags
from centralized_ml_api.errors import DeployError, UsageError
from support.aws_wire import Answer, serve_aws, stack_resources, xml
from support.moto_server import start_moto

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.moto_server import MotoServer

REGION = "us-east-1"
GRACE = timedelta(hours=1)
OF_THE_STACK = [{"Key": "CostCenter", "Value": "1234"}]


def build_template(*teams: str) -> dict[str, Any]:
    """What `AwsKeys` needs of a stack."""
    resources: dict[str, Any] = {"Group": {"Type": "AWS::Scheduler::ScheduleGroup"}}
    for before, team in zip((None, *teams), teams, strict=False):
        tags = [{"Key": STACK_TAG, "Value": "Event"}, {"Key": "centralized-ml-api:team", "Value": team}]
        plan = {"UsagePlanName": team, "ApiStages": []}
        key = {"Name": team, "Enabled": True, "Tags": tags}
        joined = {"KeyId": {"Ref": f"{team}Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": f"{team}Plan"}}
        resources[f"{team}Plan"] = {"Type": "AWS::ApiGateway::UsagePlan", "Properties": plan}
        order = {"DependsOn": f"{before}PlanKey"} if before else {}
        resources[f"{team}Key"] = {"Type": "AWS::ApiGateway::ApiKey", "Properties": key, **order}
        resources[f"{team}PlanKey"] = {"Type": "AWS::ApiGateway::UsagePlanKey", "Properties": joined}
    role = "arn:aws:iam::123456789012:role/ends"
    return {"Resources": resources, "Outputs": {"KeyEndsRole": {"Value": role}}}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    """An AWS with a stack of two teams, and one without teams."""
    with start_moto(tmp_path_factory.mktemp("aws")) as server:
        cloudformation = server.client("cloudformation")
        for name, teams in (("Event", ("red", "blue")), ("Public", ())):
            template = json.dumps(build_template(*teams))
            cloudformation.create_stack(StackName=name, TemplateBody=template, Tags=OF_THE_STACK)
        yield server


@pytest.fixture
def keys(aws: MotoServer, monkeypatch: pytest.MonkeyPatch) -> AwsKeys:
    """The keys of the stack `Event`, at noon."""
    return open_keys(aws, monkeypatch, "Event")


def open_keys(aws: MotoServer, monkeypatch: pytest.MonkeyPatch, stack: str) -> AwsKeys:
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    target = AwsTarget(Path("models.json"), stack, REGION, Path(".mlapi"))
    return AwsKeys(target, AwsClients(REGION), clock=lambda: datetime(2030, 6, 1, 12, tzinfo=UTC))


@pytest.mark.slow
def test_every_team_has_a_key_of_api_gateways(keys: AwsKeys) -> None:
    red, blue = keys.teams()
    assert (red.team, red.state, red.former) == ("red", "active", ())
    assert (blue.team, blue.state) == ("blue", "active")
    assert keys.show("red").endswith(red.ending)
    assert keys.show("red") != keys.show("blue")


@pytest.mark.slow
def test_a_new_key_has_the_tags_of_the_stack_and_its_own(aws: MotoServer, keys: AwsKeys) -> None:
    keys.rotate("blue", GRACE)
    found = [key for key in find_keys(aws.client("apigateway"), "Event") if key["name"] == "blue"]
    assert len(found) > 1
    for key in found:
        assert key["tags"] == {"CostCenter": "1234", **key_tags("Event", "blue")}


@pytest.mark.slow
def test_a_second_rotation_ends_the_first_key_no_later(keys: AwsKeys) -> None:
    keys.rotate("red", GRACE)
    first = keys.show("red")
    keys.rotate("red", 2 * GRACE)
    red, _ = keys.teams()
    assert is_key(keys.show("red"))
    assert [former.until.hour for former in red.former] == [13, 14]
    assert first.endswith(red.former[1].ending)
    keys.revoke("red", former_only=True)
    assert keys.teams()[0].former == ()
    assert keys.show("red").endswith(red.ending), "the current key works on"


@pytest.mark.slow
def test_without_grace_the_old_key_ends_at_once(keys: AwsKeys, aws: MotoServer) -> None:
    before = keys.show("blue")
    keys.rotate("blue", timedelta(0))
    assert keys.teams()[1].former == ()
    there = aws.client("apigateway").get_api_keys(includeValues=True)["items"]
    assert [key["enabled"] for key in there if key["value"] == before] == [False]


class BusyGateway:
    """API Gateway while it is busy with other keys for so many calls; `code` is what it then says."""

    def __init__(self, busy: int, code: str = "ConflictException") -> None:
        self.busy, self.code = busy, code
        self.joined: list[tuple[str, str]] = []

    def create_usage_plan_key(self, *, usagePlanId: str, keyId: str, keyType: str) -> None:  # noqa: N803  # AWS's words
        assert keyType == "API_KEY"
        self.busy -= 1
        if self.busy >= 0:
            raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "CreateUsagePlanKey")
        self.joined.append((usagePlanId, keyId))


def test_a_key_waits_for_the_keys_that_api_gateway_is_busy_with() -> None:
    gateway, pauses = BusyGateway(2), list[float]()
    join_plan(gateway, "plan", "key", pauses.append)
    assert (gateway.joined, pauses) == ([("plan", "key")], [1, 2])


@pytest.mark.parametrize(
    ("busy", "code", "waits"), [(99, "ConflictException", [1, 2, 4, 8]), (1, "NotFoundException", [])]
)
def test_any_other_refusal_is_an_error_and_so_is_a_gateway_that_stays_busy(
    busy: int, code: str, waits: list[float]
) -> None:
    pauses = list[float]()
    with pytest.raises(ClientError, match=code):
        join_plan(BusyGateway(busy, code), "plan", "key", pauses.append)
    assert pauses == waits


def test_a_key_without_a_team_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    tagged = [{STACK_TAG: "Event"}, key_tags("Event", "red"), {}]
    items = [
        {"id": str(number), "value": f"value-{number}", "enabled": True, "createdDate": 0, "tags": tags}
        for number, tags in enumerate(tagged)
    ]
    described = (
        "<Stacks><member><StackName>Event</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>"
        "<StackStatus>CREATE_COMPLETE</StackStatus><Outputs><member><OutputKey>KeyEndsRole</OutputKey>"
        "<OutputValue>r</OutputValue></member></Outputs></member></Stacks>"
    )
    body = f"<TemplateBody>{json.dumps(build_template('red'))}</TemplateBody>"
    answers = {
        "apigateway.GET /apikeys": Answer(200, {"item": items}),
        "cloudformation.GetTemplate": xml("GetTemplate", body),
        "cloudformation.DescribeStacks": xml("DescribeStacks", described),
        "cloudformation.ListStackResources": stack_resources(
            ("AWS::ApiGateway::UsagePlan", "redPlan", "p"), ("AWS::Scheduler::ScheduleGroup", "Group", "g")
        ),
    }
    with serve_aws(answers) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)
        target = AwsTarget(Path("models.json"), "Event", REGION, Path(".mlapi"))
        keys = AwsKeys(target, AwsClients(REGION))
        assert [(team.team, team.state, team.ending) for team in keys.teams()] == [
            ("red", "active", "value-1"[-SHOWN_CHARACTERS:])
        ]
        assert keys.show("red") == "value-1"


@pytest.mark.slow
def test_a_revoked_team_has_nothing_to_show_until_it_gets_a_key(keys: AwsKeys) -> None:
    keys.revoke("blue")
    assert keys.teams()[1].state == "revoked"
    with pytest.raises(UsageError, match="blue has no key"):
        keys.show("blue")
    keys.rotate("blue", GRACE)
    assert keys.teams()[1].state == "active"


@pytest.mark.slow
def test_a_team_that_the_config_no_longer_has_is_told(keys: AwsKeys, aws: MotoServer) -> None:
    gateway = aws.client("apigateway")
    made = gateway.create_api_key(name="gone", enabled=True, tags=key_tags("Event", "gone"))
    gateway.create_api_key(name="theirs", enabled=True, tags=key_tags("Other", "theirs"))
    assert [(team.team, team.state) for team in keys.teams()][2:] == [("gone", "not listed")]
    assert made["id"] in {key["id"] for key in find_keys(gateway, "Event")}


@pytest.mark.parametrize("call", ["show", "revoke"])
@pytest.mark.slow
def test_an_unknown_team_is_an_error_that_names_the_teams(keys: AwsKeys, call: str) -> None:
    with pytest.raises(UsageError, match="no team 'green'") as raised:
        getattr(keys, call)("green")
    assert "red, blue" in str(raised.value.fix)


@pytest.mark.parametrize(("stack", "words"), [("Nothing", "there is no stack"), ("Public", "has no teams")])
@pytest.mark.slow
def test_where_there_are_no_teams_that_is_said(
    aws: MotoServer, monkeypatch: pytest.MonkeyPatch, stack: str, words: str
) -> None:
    with pytest.raises(DeployError, match=words):
        open_keys(aws, monkeypatch, stack).teams()
