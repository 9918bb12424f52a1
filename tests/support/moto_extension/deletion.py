"""The gap: moto deletes the resources of a stack in any order, and forgets a stack that it could not delete.

CloudFormation deletes a resource after all that depend on it. One that will not go keeps those that it
depends on, and the stack, which is then DELETE_FAILED and can be deleted again. One that somebody else
deleted is deleted.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-delete-stack.html
and https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract.html (delete)
"""

from __future__ import annotations

from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend
from moto.sagemaker.exceptions import ValidationError
from moto.ssm.models import ssm_backends

from centralized_ml_api.aws.deploy.template_diff import creation_order, references
from support.moto_extension.replaced import replace_attribute

_ABSENT = ("Could not find ", "No scalable target found ", "No scaling policy found ")
"""How SageMaker and Application Auto Scaling begin when they do not know a name."""

REFUSED = "/test/refuses-deletion"
"""A parameter by which a test names a resource type: the next deletion of one of it fails, once."""


def close() -> None:
    """Stacks go in CloudFormation's order, or stay."""
    delete = CloudFormationBackend.delete_stack

    def delete_or_keep(self: CloudFormationBackend, name_or_stack_id: str) -> None:
        stacks = [each for each in self.stacks.values() if name_or_stack_id in {each.stack_id, each.name}]
        try:
            delete(self, name_or_stack_id)
        except _RefusedError as refused:
            for stack in stacks:
                self.stacks[stack.stack_id] = stack
                stack.status = "DELETE_FAILED"
                stack._add_stack_event("DELETE_FAILED", resource_status_reason=str(refused))  # noqa: SLF001

    replace_attribute(CloudFormationBackend, "delete_stack", delete_or_keep)
    replace_attribute(parsing.ResourceMap, "delete", _delete)


class _RefusedError(Exception):
    """A resource will not go."""


def _delete(self: parsing.ResourceMap) -> None:
    templates, parsed = self._resource_json_map, self._parsed_resources  # it is moto that is extended
    needed: set[str] = set()
    refused = []
    for name in reversed(creation_order(templates)):
        resource = templates[name]
        if name in parsed and resource.get("DeletionPolicy") != "Retain" and name not in needed:
            if not _is_refused(self, resource["Type"]):
                _delete_if_there(self, parsed[name], resource)
                del parsed[name]
                continue
            refused.append(name)
        if name in parsed and resource.get("DeletionPolicy") != "Retain":
            needed |= set(references(resource))
    if refused:
        raise _RefusedError(f"The following resource(s) failed to delete: [{', '.join(refused)}].")


def _delete_if_there(resources: parsing.ResourceMap, parsed: Any, resource: dict[str, Any]) -> None:
    try:
        resources._delete_resource(parsed, resource)  # noqa: SLF001  # it is moto that is extended
    except (ValidationError, AWSValidationException) as error:
        if not error.message.startswith(_ABSENT):
            raise


def _is_refused(resources: parsing.ResourceMap, kind: str) -> bool:
    backend = ssm_backends[resources._account_id][resources._region_name]  # noqa: SLF001  # it is moto
    if REFUSED not in backend._parameters or backend._parameters[REFUSED][-1].value != kind:  # noqa: SLF001
        return False
    backend.delete_parameter(REFUSED)
    return True
