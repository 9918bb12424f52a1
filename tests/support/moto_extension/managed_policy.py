"""The gap: `AWS::IAM::ManagedPolicy` can be created, but neither changed nor deleted."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import ManagedPolicy, iam_backends

from support.moto_extension.replaced import replace_attribute, replace_class_method


def close() -> None:
    """A policy gets another document where it is, and goes with its stack."""
    replace_class_method(ManagedPolicy, "update_from_cloudformation_json", _update)
    replace_attribute(ManagedPolicy, "delete", _delete)


def _update(  # noqa: PLR0917  # moto's own signature
    cls: type[ManagedPolicy],
    original_resource: ManagedPolicy,
    new_resource_name: str,
    cloudformation_json: Any,
    account_id: str,
    region_name: str,
) -> ManagedPolicy:
    del cls, new_resource_name, region_name
    document = json.dumps(cloudformation_json["Properties"]["PolicyDocument"])
    backend = iam_backends[account_id]["aws"]
    for version in [each for each in original_resource.versions if not each.is_default]:
        backend.delete_policy_version(original_resource.arn, version.version_id)  # it keeps five at most
    backend.create_policy_version(original_resource.arn, document, set_as_default=True)
    return original_resource


def _delete(self: ManagedPolicy, account_id: str, region: str) -> None:
    del region
    backend = iam_backends[account_id]["aws"]
    for role in backend.roles.values():
        if self.arn in role.managed_policies:
            backend.detach_role_policy(self.arn, role.name)
    backend.delete_policy(self.arn)
