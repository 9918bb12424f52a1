"""The gap: moto attaches no managed policies to a role, and an update changes none of its policies."""

from __future__ import annotations

from typing import Any

from moto.iam.models import Role, iam_backends

from support.moto_extension.replaced import function_of, replace_attribute, replace_class_method

_OF_AWS = ":iam::aws:policy/"
"""In the ARN of AWS's own policies, of which moto has none unless it is told to."""


def close() -> None:
    """A role has exactly the policies of its template, and can go while it still has them."""
    create = function_of(Role, "create_from_cloudformation_json")
    update = function_of(Role, "update_from_cloudformation_json")
    delete = function_of(Role, "delete_from_cloudformation_json")

    def create_whole(
        cls: type[Role], name: str, resource: Any, account_id: str, region: str, **more: Any
    ) -> Role:
        return _attach(create(cls, name, resource, account_id, region, **more), resource, account_id)

    def update_whole(cls: type[Role], **given: Any) -> Role:
        role = given["original_resource"]
        _detach_own(role, given["account_id"])
        update(cls, **given)
        for policy in given["cloudformation_json"]["Properties"].get("Policies", []):
            role.put_policy(policy["PolicyName"], policy["PolicyDocument"])
        return _attach(role, given["cloudformation_json"], given["account_id"])

    def delete_whole(self: Role, account_id: str, region: str) -> None:
        _detach(self, account_id)
        delete(Role, self.name, {}, account_id, region)

    replace_class_method(Role, "create_from_cloudformation_json", create_whole)
    replace_class_method(Role, "update_from_cloudformation_json", update_whole)
    replace_attribute(Role, "delete", delete_whole)


def _attach(role: Role, resource: Any, account_id: str) -> Role:
    for arn in resource["Properties"].get("ManagedPolicyArns", []):
        if _OF_AWS not in arn:
            iam_backends[account_id]["aws"].attach_role_policy(arn, role.name)
    return role


def _detach_own(role: Role, account_id: str) -> None:
    """Takes what its template gave it; policies that attached themselves stay."""
    former = role.deployed_properties  # type: ignore[attr-defined]  # what `update` remembers of every resource
    for arn in former.get("ManagedPolicyArns", []):
        if arn in role.managed_policies:
            iam_backends[account_id]["aws"].detach_role_policy(arn, role.name)
    for policy in former.get("Policies", []):
        role.delete_policy(policy["PolicyName"])


def _detach(role: Role, account_id: str) -> None:
    for arn in list(role.managed_policies):
        iam_backends[account_id]["aws"].detach_role_policy(arn, role.name)
    for name in list(role.policies):
        role.delete_policy(name)
