"""The gap: moto keeps the tags of a stack to itself.

CloudFormation gives them to all that the stack makes, nested stacks included.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from moto.cloudformation import parsing
from moto.sagemaker.models import FakeEndpoint

from support.moto_extension.replaced import replace_attribute

if TYPE_CHECKING:
    from collections.abc import Callable

_INHERITED: ContextVar[dict[str, str]] = ContextVar("inherited", default={})  # noqa: B039  # never written to
"""The tags of the stacks around the one that is being written."""


def close() -> None:
    """Endpoints get the tags of their stack; nothing else is found by them."""
    for name in ("parse_and_create_resource", "parse_and_update_resource"):
        replace_attribute(parsing, name, _tagging(getattr(parsing, name)))


def _tagging(write: Callable[..., Any]) -> Callable[..., Any]:
    """The function that creates or changes a resource, so that it is tagged too."""

    @functools.wraps(write)
    def tagging(
        logical_id: str, resource: Any, resources: parsing.ResourceMap, account_id: str, region_name: str
    ) -> Any:
        tags = {**_INHERITED.get(), **_own(resources.tags)}
        inside = _INHERITED.set(tags)
        try:
            written = write(logical_id, resource, resources, account_id=account_id, region_name=region_name)
        finally:
            _INHERITED.reset(inside)
        if isinstance(written, FakeEndpoint):
            said = {tag["Key"]: tag["Value"] for tag in written.tags}
            written.tags = [{"Key": key, "Value": value} for key, value in {**tags, **said}.items()]
        return written

    return tagging


def _own(tags: dict[str, str]) -> dict[str, str]:
    """Those that a user gave."""
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}
