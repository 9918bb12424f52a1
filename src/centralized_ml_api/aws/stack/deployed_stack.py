"""Reads a stack from CloudFormation: its template, outputs, resources, teams, and why it failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.stack.contract import KEY_ENDS_OUTPUT, PLACES_PLAN
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

NESTED = "AWS::CloudFormation::Stack"
ENDPOINT = "AWS::SageMaker::Endpoint"
COMPONENT = "AWS::SageMaker::InferenceComponent"
TABLE = "AWS::DynamoDB::Table"
SCHEDULE = "AWS::Scheduler::Schedule"
_PLAN = "AWS::ApiGateway::UsagePlan"
_GROUP = "AWS::Scheduler::ScheduleGroup"

_CONSEQUENCES = (
    "Resource creation cancelled",
    "Resource update cancelled",
    "The following resource(s) failed",
)


@dataclass(frozen=True, slots=True)
class StackResource:
    """One resource of a stack or of a stack nested in it.

    `physical_id` is how CloudFormation knows it; it is empty until the resource is being made.
    """

    type: str
    logical_id: str
    physical_id: str

    @property
    def name(self) -> str:
        """How its service knows it: the end of an ARN or of a schedule's `group|name`, or the whole id.

        SageMaker's ARNs are in lower case, whatever capitals the name has.
        """
        if self.physical_id.startswith("arn:"):
            return self.physical_id.rpartition("/")[2]
        return self.physical_id.rpartition("|")[2] if self.type == SCHEDULE else self.physical_id


@dataclass(frozen=True, slots=True)
class DeployedTeams:
    """The teams of a deployed stack.

    `plans` are the ids of the usage plans by the names of the teams, in the order of the config; after them
    come the teams that joined. `places` are the names of their places, by theirs; `places_plan` is the id
    of the plan of all places, empty where there are none.
    `schedule_group` and `ending_role`, an ARN, are what ends replaced keys. `tags` are those of the stack,
    which a new key needs too: an organization may demand them.
    """

    plans: Mapping[str, str]
    schedule_group: str
    ending_role: str
    tags: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)
    places_plan: str = ""

    def owner_of(self, team: str) -> str:
        """Returns what names the team in the tag of a new key: its place if it has the limits of places.

        A team that joined before the config listed it has those of the config, under its own name.
        """
        return self.places.get(team, team) if self.plans[team] == self.places_plan else team


def load_template(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    """Returns the deployed template, None where there is no such stack.

    Raises:
        botocore.exceptions.ClientError: AWS refused for another reason.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    try:
        body = cloudformation.get_template(StackName=stack)["TemplateBody"]
    except ClientError as error:
        if _does_not_exist(error):
            return None
        raise
    template: dict[str, Any] = yaml.safe_load(body) if isinstance(body, str) else json.loads(json.dumps(body))
    return template


def load_state(cloudformation: Any, stack: str) -> str | None:
    """Returns CloudFormation's state of a stack, such as `UPDATE_COMPLETE`; None where there is none.

    Raises:
        botocore.exceptions.ClientError: AWS refused for another reason.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    try:
        state: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if _does_not_exist(error):
            return None
        raise
    return state


def load_outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """Returns the outputs of a stack by their keys.

    Raises:
        botocore.exceptions.ClientError: There is no such stack, or AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    return _outputs_of(cloudformation.describe_stacks(StackName=stack)["Stacks"][0])


def _outputs_of(described: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def load_parameters(cloudformation: Any, stack: str) -> dict[str, str] | None:
    """Returns the parameters of a stack by their keys, None where there is no such stack.

    Raises:
        botocore.exceptions.ClientError: AWS refused for another reason.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    try:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if _does_not_exist(error):
            return None
        raise
    return {item["ParameterKey"]: item.get("ParameterValue", "") for item in described.get("Parameters", [])}


def load_resources(cloudformation: Any, stack: str) -> tuple[StackResource, ...]:
    """Returns every resource of a stack and of those nested in it; none where there is no such stack.

    Raises:
        botocore.exceptions.ClientError: AWS refused for another reason.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    try:
        return tuple(_walk(cloudformation, stack))
    except ClientError as error:
        if _does_not_exist(error):
            return ()
        raise


def find_physical_id(resources: Iterable[StackResource], resource_type: str, part: str) -> str:
    """Returns how AWS knows the first resource of a type whose logical id has a part; empty without. Pure.

    Args:
        resources: Of a stack.
        resource_type: Such as `AWS::Lambda::Function`.
        part: Of its logical id.
    """
    for resource in resources:
        if resource.type == resource_type and part in resource.logical_id:
            return resource.physical_id
    return ""


def nested_stacks(resources: Iterable[StackResource]) -> list[str]:
    """Returns the ids of the nested stacks among resources, without those that are not begun. Pure."""
    return [
        resource.physical_id for resource in resources if resource.type == NESTED and resource.physical_id
    ]


def load_endpoint_history(cloudformation: Any, stack: str) -> tuple[StackResource, ...]:
    """Returns every SageMaker endpoint that a stack or one nested in it ever had, as its events tell.

    CloudFormation keeps events for 90 days.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html

    Raises:
        botocore.exceptions.ClientError: There is no such stack, or AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    pages = [
        page
        for name in (stack, *nested_stacks(load_resources(cloudformation, stack)))
        for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    ]
    found = {
        stack_event["PhysicalResourceId"]: stack_event["LogicalResourceId"]
        for page in pages
        for stack_event in page["StackEvents"]
        if stack_event["ResourceType"] == ENDPOINT and stack_event.get("PhysicalResourceId")
    }
    return tuple(StackResource(ENDPOINT, logical, physical) for physical, logical in found.items())


def load_physical_ids(cloudformation: Any, stack: str, resource_type: str) -> dict[str, str]:
    """Returns the physical ids of a stack's own resources of one type, by their logical ids.

    Args:
        cloudformation: A client of CloudFormation.
        stack: The name or id of the stack.
        resource_type: Such as `AWS::IAM::Role`.

    Raises:
        botocore.exceptions.ClientError: There is no such stack, or AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    return {
        resource.logical_id: resource.physical_id
        for resource in _list(cloudformation, stack)
        if resource.type == resource_type
    }


def load_teams(
    cloudformation: Any, stack: str, load_roster: Callable[[Mapping[str, str]], Mapping[str, str]]
) -> DeployedTeams:
    """Returns the teams of a stack.

    Args:
        cloudformation: A client of CloudFormation.
        stack: The name of the stack.
        load_roster: Returns the teams that joined by the names of their places, from the stack's outputs.

    Raises:
        DeployError: There is no such stack, or it has no teams.
        botocore.exceptions.ClientError: AWS refused.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    template = load_template(cloudformation, stack)
    if template is None:
        raise DeployError(
            f"there is no stack {stack}", fix="deploy it, or name another one with --stack and --region"
        )
    ids = load_physical_ids(cloudformation, stack, _PLAN)
    if not ids:
        raise DeployError(
            f"{stack} has no teams: everybody may call it",
            fix="add `event.teams` to the config, then deploy again",
        )
    plans = {
        resource["Properties"]["UsagePlanName"]: ids[logical_id]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == _PLAN
    }
    (group,) = load_physical_ids(cloudformation, stack, _GROUP).values()
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = _outputs_of(described)
    roster, of_places = load_roster(outputs), plans.pop(PLACES_PLAN, "")
    plans |= {team: of_places for team in roster.values() if team not in plans}
    tags = {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])}
    places = {team: place for place, team in roster.items()}
    return DeployedTeams(plans, group, outputs[KEY_ENDS_OUTPUT], tags, places, of_places)


def load_failure_reasons(cloudformation: Any, stack: str) -> list[str]:
    """Returns why the last operation failed: `id (type): reason` of each resource, first failure first.

    A nested stack has the reasons of its own resources: its parent only says that some of them failed.
    Empty where AWS cannot be asked or gives no reason: the CDK's own output is then all there is.

    Args:
        cloudformation: A client of CloudFormation.
        stack: The name or id of the stack.
    """
    try:
        stack_events = list(_last_operation(cloudformation, stack))
    except (BotoCoreError, ClientError):
        return []
    reasons = []
    for stack_event in reversed(stack_events):
        reason = stack_event.get("ResourceStatusReason", "")
        if stack_event["ResourceStatus"].endswith("_FAILED") and not reason.startswith(_CONSEQUENCES):
            own = f"{stack_event['LogicalResourceId']} ({stack_event['ResourceType']}): {reason}"
            reasons += _load_nested_reasons(cloudformation, stack_event) or [own]
    return list(dict.fromkeys(reasons))


def _load_nested_reasons(cloudformation: Any, stack_event: Mapping[str, Any]) -> list[str]:
    """Returns the reasons of the nested stack that an event is of, none where it is of another resource."""
    nested = stack_event.get("PhysicalResourceId", "")
    if stack_event["ResourceType"] != NESTED or nested in {"", stack_event["StackId"]}:
        return []
    return load_failure_reasons(cloudformation, nested)


def _last_operation(cloudformation: Any, stack: str) -> Iterator[dict[str, Any]]:
    """Yields the events of the last operation, newest first, back to the one that started it."""
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        for stack_event in page["StackEvents"]:
            yield stack_event
            if stack_event.get("ResourceStatusReason") == "User Initiated":
                return


def _walk(cloudformation: Any, stack: str) -> Iterator[StackResource]:
    for resource in _list(cloudformation, stack):
        yield resource
        for nested in nested_stacks([resource]):
            yield from _walk(cloudformation, nested)


def _list(cloudformation: Any, stack: str) -> Iterator[StackResource]:
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for summary in page["StackResourceSummaries"]:
            physical_id = summary.get("PhysicalResourceId", "")
            yield StackResource(summary["ResourceType"], summary["LogicalResourceId"], physical_id)


def _does_not_exist(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error)
