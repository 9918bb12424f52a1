"""What is deployed: a stack's template, outputs and resources, read from CloudFormation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NESTED = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class StackResource:
    """One resource of a stack or of a stack nested in it; `physical_id` is how its service knows it."""

    type: str
    logical_id: str
    physical_id: str


def load_template(cloudformation: Any, stack: str) -> dict[str, Any] | None:
    """The template that was deployed; None when there is no such stack.

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


def load_outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """The outputs of a stack by their names."""
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}


def load_resources(cloudformation: Any, stack: str) -> tuple[StackResource, ...]:
    """Every resource of a stack and of those nested in it; none when there is no such stack."""
    try:
        return tuple(_walk(cloudformation, stack))
    except ClientError as error:
        if _does_not_exist(error):
            return ()
        raise


def load_physical_ids(cloudformation: Any, stack: str, resource_type: str) -> dict[str, str]:
    """The physical ids of a stack's own resources of one type, by their logical ids."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [_resource(one) for page in pages for one in page["StackResourceSummaries"]]
    return {one.logical_id: one.physical_id for one in resources if one.type == resource_type}


def _walk(cloudformation: Any, stack: str) -> Iterator[StackResource]:
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for summary in page["StackResourceSummaries"]:
            resource = _resource(summary)
            yield resource
            if resource.type == NESTED and resource.physical_id:
                yield from _walk(cloudformation, resource.physical_id)


def _resource(summary: Mapping[str, Any]) -> StackResource:
    physical_id = summary.get("PhysicalResourceId", "")
    return StackResource(summary["ResourceType"], summary["LogicalResourceId"], physical_id)


def _does_not_exist(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error)
