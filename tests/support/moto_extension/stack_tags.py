"""The gap: moto keeps the tags of a stack to itself.

CloudFormation gives them to all that the stack makes, nested stacks included.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from moto.cloudformation import parsing

from support.moto_extension.replaced import replace_attribute

if TYPE_CHECKING:
    from collections.abc import Callable

_TAGGED = frozenset(
    {
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::ApiGateway::UsagePlan",
        "AWS::IAM::Role",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::SageMaker::Endpoint",
        "AWS::SageMaker::EndpointConfig",
        "AWS::SageMaker::Model",
    }
)
"""The types whose property `Tags` moto, or a module here, reads: a list of keys and values."""

_INHERITED: ContextVar[dict[str, str]] = ContextVar("inherited", default={})  # noqa: B039  # never written to
"""The tags of the stacks around the one that is being written."""


def close() -> None:
    """What has tags gets those of its stack."""
    for name in ("parse_and_create_resource", "parse_and_update_resource"):
        replace_attribute(parsing, name, _tagging(getattr(parsing, name)))


def _tagging(write: Callable[..., Any]) -> Callable[..., Any]:
    """The function that creates or changes a resource, so that it is tagged too."""

    @functools.wraps(write)
    def tagging(
        logical_id: str, resource: Any, resources: parsing.ResourceMap, account_id: str, region_name: str
    ) -> Any:
        tags = current_tags(resources)
        inside = _INHERITED.set(tags)
        given = _with_tags(resource, tags) if resource["Type"] in _TAGGED else resource
        try:
            return write(logical_id, given, resources, account_id=account_id, region_name=region_name)
        finally:
            _INHERITED.reset(inside)

    return tagging


def current_tags(resources: parsing.ResourceMap) -> dict[str, str]:
    """Returns the tags of a stack that users gave to it or to those around it."""
    own = {key: value for key, value in resources.tags.items() if not key.startswith("aws:")}
    return {**_INHERITED.get(), **own}


def _with_tags(resource: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    """The resource, with these tags but for those that it has itself."""
    properties = resource.get("Properties", {})
    written = properties.get("Tags", [])
    own = {tag["Key"] for tag in written}
    more = [{"Key": key, "Value": value} for key, value in tags.items() if key not in own]
    return {**resource, "Properties": {**properties, "Tags": [*written, *more]}}
