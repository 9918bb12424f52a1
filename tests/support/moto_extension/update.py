"""The gap: moto updates by comparing the texts of two templates, and changes everything where it is.

CloudFormation compares values, so that a replaced model changes the configuration that names it. It creates
what is new before it deletes what is old, so that a fixed name collides with itself.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from __future__ import annotations

import copy
import functools
from typing import Any

from moto.cloudformation import parsing

from centralized_ml_api.aws.deploy.template_diff import creation_order, is_replaced
from support.moto_extension.key_order import check_order
from support.moto_extension.replaced import replace_attribute

Resources = dict[str, Any]


def close() -> None:
    """Stacks are updated in CloudFormation's order."""
    create = _remembering(parsing.parse_and_create_resource)
    replace_attribute(parsing, "parse_and_create_resource", create)
    replace_attribute(parsing.ResourceMap, "update", _update)
    replace_attribute(parsing.ResourceMap, "create", _in_order(parsing.ResourceMap.create))


def _remembering(create: Any) -> Any:
    """The function that creates a resource, so that the values it was created with are kept."""

    @functools.wraps(create)
    def remembering(
        logical_id: str, resource: Any, resources: parsing.ResourceMap, account_id: str, region_name: str
    ) -> Any:
        made = create(logical_id, resource, resources, account_id=account_id, region_name=region_name)
        if made is not None:
            made.deployed_properties = _values(resource, resources)
        return made

    return remembering


def _in_order(create: Any) -> Any:
    """The function that creates a stack, refusing an order that API Gateway refuses."""

    @functools.wraps(create)
    def in_order(self: parsing.ResourceMap, template: dict[str, Any]) -> bool:
        check_order(template["Resources"], list(template["Resources"]), ())
        return bool(create(self, template))

    return in_order


def _update(self: parsing.ResourceMap, template: dict[str, Any], parameters: Any = None) -> None:
    before = self._resource_json_map
    after = template["Resources"]
    _adopt(self, template, parameters)
    made = [name for name in after if name not in self._parsed_resources]
    changed = [name for name in after if name in before and _differ(before[name], after[name])]
    check_order(after, made, changed)
    gone = {name: self._parsed_resources.pop(name) for name in before if _is_gone(self, name, after)}
    for name in creation_order(after):
        replaced = _bring_about(self, name)
        if replaced is not None:
            gone[name] = replaced
    for name in reversed(creation_order(before)):
        if name in gone:
            self._delete_resource(gone[name], before[name])


def _adopt(resources: parsing.ResourceMap, template: dict[str, Any], parameters: Any) -> None:
    resources._template = template  # noqa: SLF001  # it is moto that is extended
    resources._resource_json_map = template["Resources"]  # noqa: SLF001
    resources.input_parameters = parameters or resources.input_parameters
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()


def _differ(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return bool(before.get("Properties") != after.get("Properties"))


def _is_gone(resources: parsing.ResourceMap, name: str, after: Resources) -> bool:
    return name not in after and name in resources._parsed_resources  # noqa: SLF001


def _bring_about(resources: parsing.ResourceMap, name: str) -> Any:
    """Creates, changes or replaces one resource; the old one where it was replaced."""
    existing = resources._parsed_resources  # noqa: SLF001
    old = existing.get(name)
    if old is None:
        _ = resources[name]  # a lazy map: looking creates
        return None
    resource = resources._resource_json_map[name]  # noqa: SLF001
    values = _values(resource, resources)
    changed = {key for key in {*values, *old.deployed_properties} if _differs(values, old, key)}
    if is_replaced(resource["Type"], changed):
        del existing[name]
        _ = resources[name]
        return old
    if changed:
        existing[name] = _changed_in_place(resources, name, resource, values)
    return None


def _changed_in_place(resources: parsing.ResourceMap, name: str, resource: Any, values: Any) -> Any:
    account_id, region = resources._account_id, resources._region_name  # noqa: SLF001
    copied = copy.deepcopy(resource)
    updated: Any = parsing.parse_and_update_resource(name, copied, resources, account_id, region)
    if updated is None:
        raise NotImplementedError(f"moto cannot update {resource['Type']} and the extension does not either")
    updated.deployed_properties = values
    return updated


def _differs(values: Any, old: Any, key: str) -> bool:
    return bool(values.get(key) != old.deployed_properties.get(key))


def _values(resource: Any, resources: parsing.ResourceMap) -> dict[str, Any]:
    cleaned: Any = parsing.clean_json(copy.deepcopy(resource.get("Properties", {})), resources)
    return dict(cleaned)
