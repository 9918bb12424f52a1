"""The gap: moto's nested stacks have no outputs for the stack around them, and are deleted for an update."""

from __future__ import annotations

from typing import Any

from moto.cloudformation.models import Stack
from moto.cloudformation.utils import get_stack_from_s3_url

from support.moto_extension.replaced import replace_attribute, replace_class_method

_OUTPUT = "Outputs."


def close() -> None:
    """Outputs can be read, and an update is one."""
    replace_attribute(Stack, "get_cfn_attribute", _output)
    replace_class_method(Stack, "update_from_cloudformation_json", _update)


def _output(self: Stack, name: str) -> str:
    output = self.output_map[name.removeprefix(_OUTPUT)]
    if output is None:
        raise KeyError(name)
    return output.value


def _update(  # noqa: PLR0917  # moto's own signature
    cls: type[Stack],
    original_resource: Stack,
    new_resource_name: str,
    cloudformation_json: Any,
    account_id: str,
    region_name: str,
) -> Stack:
    del cls, new_resource_name, region_name
    properties = cloudformation_json["Properties"]
    template = get_stack_from_s3_url(properties["TemplateURL"], account_id=account_id, partition="aws")
    original_resource.update(template, parameters=properties.get("Parameters", {}))
    return original_resource
