"""An event's life on the simulated AWS: keys, limits, an end that moves, a budget, and nothing left."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name

from centralized_ml_api.api.keys import is_key
from centralized_ml_api.aws.constructs.join_code.index import JoinTable
from centralized_ml_api.aws.stack.contract import JOINING_OUTPUT, PLACES_PLAN, STACK_TAG, TEAM_TAG
from support.aws_inventory import count_leftovers, take_inventory
from support.deployment import STACK
from support.moto_extension.deletion import REFUSED

if TYPE_CHECKING:
    from support.aws_inventory import Inventory
    from support.deployment import Deployment, Done

pytestmark = pytest.mark.slow
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
RED = {"name": "red", "models": ["adopted"], "requests_per_second": 2, "burst": 3, "requests_per_day": 100}
EVENT = {
    "teams": [RED, "blue"],
    "join": {"teams": 2, "code": "HERON-4217", "limits": {"requests_per_day": 10}},
    "pot": {"tokens": 1_000_000},
    "ends": "2040-06-01T18:00:00+02:00",
    "budget": {"usd": 500, "email": "you@example.com"},
}
ENTRIES = [{"name": name, "integration": {"type": "api"}} for name in ("adopted", "other")]
MODEL = {
    "name": "chat",
    "image": IMAGE,
    "instance": "ml.g5.2xlarge",
    "autoscaling": {"min_capacity": 1, "max_capacity": 3, "invocations_per_instance": 5},
    "integration": {"type": "api"},
}
CONFIG = {"models": [], "endpoints": ENTRIES, "event": EVENT}


def keys(deployment: Deployment, *arguments: str) -> Done:
    """`mlapi keys …`, which works on the stack and not on a config."""
    command = [sys.executable, "-m", "centralized_ml_api", "keys", *arguments, "--target", "aws"]
    done = deployment.run(command)
    assert done.returncode == 0, done.stderr
    return done


def extend(deployment: Deployment, until: str) -> Done:
    """`mlapi extend`, which takes the instant before the config."""
    where = [str(deployment.config), "--target", "aws", "--state", str(deployment.folder / "state")]
    return deployment.run([sys.executable, "-m", "centralized_ml_api", "extend", until, *where])


def listed(deployment: Deployment) -> list[dict[str, Any]]:
    """What `mlapi keys --json` says."""
    teams: list[dict[str, Any]] = json.loads(keys(deployment, "--json").stdout)
    return teams


def test_the_life_of_an_event(deployment: Deployment) -> None:
    deployment.deploy(CONFIG)
    there = take_inventory(deployment.aws)
    check_plans(there)
    check_budget(there)
    check_end(there, datetime(2040, 6, 1, 16, tzinfo=UTC))
    extended = extend(deployment, "2040-07-01T18:00:00Z")
    assert extended.returncode == 0, extended.stderr
    check_end(take_inventory(deployment.aws), datetime(2040, 7, 1, 18, tzinfo=UTC))
    check_rotation(deployment)
    check_revocation(deployment)
    check_joining(deployment)
    destroyed = deployment.mlapi("destroy", "--yes")
    assert destroyed.returncode == 0, destroyed.stderr
    assert "Nothing billed is left." in destroyed.stdout
    assert count_leftovers(deployment.aws) == {}, "nothing is left, in any service"


def test_twenty_teams_and_one_more(deployment: Deployment) -> None:
    """The simulated API Gateway refuses what is not done one after another."""
    teams = [f"team {number:02}" for number in range(20)]
    deployment.deploy({**CONFIG, "event": {"teams": teams}})
    before = take_inventory(deployment.aws)
    assert {plan["name"] for plan in before.usage_plans.values()} == set(teams)
    more = {**CONFIG, "event": {"teams": [*teams[:10], "late", *teams[10:]]}}
    deployment.write(more)
    planned = json.loads(deployment.mlapi("plan", "--target", "aws", "--json").stdout)
    changes = [(change["action"], change["name"]) for change in planned["changes"]]
    assert [change for change in changes if "Teams" in change[1]] == [
        ("add", f"Api/Teams/late/{part}") for part in ("Key", "Plan", "PlanKey")
    ]
    deployment.deploy(more)
    after = take_inventory(deployment.aws)
    assert {key for key in after.keys if key not in before.keys} == {key_of(after, "late")}
    assert set(before.keys) < set(after.keys), "every other team keeps its key"
    assert set(before.usage_plans) < set(after.usage_plans)


def key_of(there: Inventory, team: str) -> str:
    """The id of a team's only key."""
    (found,) = [key for key, item in there.keys.items() if item["name"] == team]
    return found


def check_plans(there: Inventory) -> None:
    """A key and a plan for each team, on the stage of the API, with its limits and tags."""
    (api,) = there.apis
    red, blue = (named(there.usage_plans, name) for name in ("red", "blue"))
    assert red["apiStages"] == blue["apiStages"] == [{"apiId": api, "stage": "prod"}]
    assert red["throttle"] == {"rateLimit": 2, "burstLimit": 3}
    assert red["quota"] == {"limit": 100, "period": "DAY"}
    key = named(there.keys, "red")
    assert key["enabled"]
    assert key["tags"] == {STACK_TAG: STACK, TEAM_TAG: "red"}


def named(items: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """The only one with this name."""
    (found,) = [item for item in items.values() if item["name"] == name]
    return found


def check_budget(there: Inventory) -> None:
    """The money, and what is counted."""
    (budget,) = there.budgets.values()
    assert float(budget["BudgetLimit"]["Amount"]) == 500
    assert budget["CostFilters"] == {"TagKeyValue": [f"user:{STACK_TAG}${STACK}"]}


def check_end(there: Inventory, start: datetime) -> None:
    """When, and what then happens."""
    (schedule,) = there.schedules.values()
    assert schedule["ScheduleExpression"] == "rate(30 minutes)"
    assert schedule["StartDate"] == start
    assert schedule["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:cloudformation:deleteStack"
    assert json.loads(schedule["Target"]["Input"]) == {"StackName": STACK}
    assert schedule["Target"]["RoleArn"].rpartition("/")[2] in there.roles


def check_rotation(deployment: Deployment) -> None:
    """A key of our own form takes over; the one before works on until a schedule ends it."""
    old = named(take_inventory(deployment.aws).keys, "red")
    keys(deployment, "rotate", "red", "--grace", "2h")
    assert is_key(keys(deployment, "--show", "red").stdout.strip())
    red, blue = listed(deployment)
    assert (red["team"], red["state"], blue["team"]) == ("red", "active", "blue")
    (former,) = red["former"]
    assert old["value"].endswith(former["ending"])
    there = take_inventory(deployment.aws)
    assert there.keys[old["id"]]["enabled"], "it works during its grace"
    until = datetime.fromisoformat(former["until"])
    assert until - datetime.now(UTC) < timedelta(hours=2)
    check_scheduled(deployment, there, old["id"], until)


def check_scheduled(deployment: Deployment, there: Inventory, key: str, until: datetime) -> None:
    """The schedule that disables the key, in the group that goes with the stack."""
    (group,) = there.schedule_groups
    scheduler = deployment.aws.client("scheduler")
    (found,) = scheduler.list_schedules(GroupName=group)["Schedules"]
    schedule = scheduler.get_schedule(Name=found["Name"], GroupName=group)
    assert schedule["ScheduleExpression"] == f"at({until.astimezone(UTC):%Y-%m-%dT%H:%M:%S})"
    assert schedule["ActionAfterCompletion"] == "DELETE"
    disabling = {"Op": "replace", "Path": "/enabled", "Value": "false"}
    assert json.loads(schedule["Target"]["Input"]) == {"ApiKey": key, "PatchOperations": [disabling]}


def check_revocation(deployment: Deployment) -> None:
    """No key of the team is enabled any more."""
    keys(deployment, "revoke", "red", "--yes")
    there = take_inventory(deployment.aws)
    enabled = [key["name"] for key in there.keys.values() if key["enabled"]]
    assert sorted(enabled) == ["blue", "place:1", "place:2"]
    assert listed(deployment)[0]["state"] == "revoked"


def check_joining(deployment: Deployment) -> None:
    """The deploy has opened the door with the config's code; who takes a place is a team with its key."""
    command = [sys.executable, "-m", "centralized_ml_api", "join", "--target", "aws", "--json"]
    shown = deployment.run(command)
    assert shown.returncode == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert (told["code"], told["closed"], told["places"], told["taken"]) == ("HERON-4217", "", 2, 0)
    cloudformation = deployment.aws.client("cloudformation")
    assert "HERON" not in json.dumps(cloudformation.get_template(StackName=STACK)["TemplateBody"])
    outputs = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    (joining,) = (each["OutputValue"] for each in outputs if each["OutputKey"] == JOINING_OUTPUT)
    JoinTable(deployment.aws.client("dynamodb"), json.loads(joining)["table"]).take("Owls", 2)
    assert [team["team"] for team in listed(deployment)] == ["red", "blue", "Owls"]
    place = named(take_inventory(deployment.aws).keys, "place:1")
    assert keys(deployment, "--show", "Owls").stdout.strip() == place["value"]
    (deployment.folder / "roster.csv").write_text("team\nred\nLarks\n")
    added = keys(deployment, "import", str(deployment.folder / "roster.csv"))
    assert added.stderr.startswith("1 team added; 1 of the roster were there already.")
    assert [team["team"] for team in listed(deployment)] == ["red", "blue", "Owls", "Larks"]
    keys(deployment, "rotate", "Owls", "--grace", "0s")
    made = named(take_inventory(deployment.aws).keys, "Owls")
    assert made["tags"] == place["tags"]
    plan = named(take_inventory(deployment.aws).usage_plans, PLACES_PLAN)
    assert plan["quota"] == {"limit": 10, "period": "DAY"}


def test_an_end_whose_first_deletion_fails_deletes_in_the_end(deployment: Deployment) -> None:
    """The endpoints go first and do not wait for the API; somebody is told; a later call deletes the rest."""
    budget = EVENT["budget"]
    deployment.deploy({**CONFIG, "models": [MODEL], "event": {"ends": EVENT["ends"], "budget": budget}})
    moved = extend(deployment, "2040-07-01T18:00:00Z")
    assert moved.returncode == 0, moved.stderr
    starts = {call: each["StartDate"] for call, each in scheduled(deployment)}
    assert starts == {
        "sagemaker:deleteEndpoint": datetime(2040, 7, 1, 18, tzinfo=UTC),
        "cloudformation:deleteStack": datetime(2040, 7, 1, 18, 10, tzinfo=UTC),
    }
    refused = {"Name": REFUSED, "Value": "AWS::ApiGateway::RestApi", "Type": "String"}
    deployment.aws.client("ssm").put_parameter(**refused)
    end(deployment, "sagemaker:deleteEndpoint")
    there = take_inventory(deployment.aws)
    assert (there.endpoints, there.scalable_targets) == ({}, {}), "they cost nothing any more"
    end(deployment, "cloudformation:deleteStack")
    there = take_inventory(deployment.aws)
    (stack,) = there.stacks.values()
    assert stack["StackStatus"] == "DELETE_FAILED"
    calls = sorted(call for call, _ in scheduled(deployment))
    assert calls == sorted(starts), "the schedules stay as long as the API"
    check_told(there)
    end(deployment, "cloudformation:deleteStack")
    assert count_leftovers(deployment.aws) == {}, "the schedules, the rule and the topic went last"


def check_told(there: Inventory) -> None:
    """The rule that meets this failure and the topic that it tells are still there."""
    (rule,), (stack,), (topic,) = there.rules.values(), there.stacks.values(), there.topics
    pattern = json.loads(rule["EventPattern"])
    assert pattern["detail"]["stack-id"] == [stack["StackId"]]
    assert pattern["detail"]["status-details"]["status"] == [stack["StackStatus"]]
    assert [target["Arn"] for target in rule["Targets"]] == [topic]


def scheduled(deployment: Deployment) -> list[tuple[str, dict[str, Any]]]:
    """What is called at the end of the event, each with its schedule."""
    schedules = take_inventory(deployment.aws).schedules.values()
    return [(each["Target"]["Arn"].rpartition("aws-sdk:")[2], each) for each in schedules]


def end(deployment: Deployment, call: str) -> None:
    """Does what the schedules of this call do once: the call, with their inputs."""
    service, _, operation = call.partition(":")
    called = [json.loads(each["Target"]["Input"]) for name, each in scheduled(deployment) if name == call]
    assert called
    for asked in called:
        client = deployment.aws.client(service)
        getattr(client, xform_name(operation[0].upper() + operation[1:]))(**asked)
