"""What moto's CloudFormation asks of a resource type, for the types that the extension adds.

A type is a class of both `AddedResource` and moto's `CloudFormationModel`: moto finds only the direct
subclasses of the latter.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

Properties = dict[str, Any]


class AddedResource:
    """One resource, known by its physical id; a type says how it is written and removed."""

    type_name: ClassVar[str]

    def __init__(self, physical_id: str) -> None:
        self.physical_resource_id = physical_id

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Creates the resource, or changes it where it is; its physical id."""
        raise NotImplementedError

    @classmethod
    def update(
        cls, before: AddedResource, name: str, properties: Properties, account_id: str, region: str
    ) -> str:
        """Makes it what the template says now; its physical id, by default that of one written anew."""
        del before
        return cls.write(name, properties, account_id, region)

    def delete(self, account_id: str, region: str) -> None:
        """Removes it; by default it goes with what it belongs to."""

    def is_created(self) -> bool:
        """Always: nothing here takes time."""
        return True

    @staticmethod
    def cloudformation_name_type() -> str:
        """No property names it."""
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        """Such as `AWS::ApiGateway::Stage`."""
        return cls.type_name

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """None of the types has an attribute that our templates use."""
        del attr
        return False

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> Self:
        """What moto calls to create one."""
        return cls(cls.write(resource_name, cloudformation_json["Properties"], account_id, region_name))

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: AddedResource,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Self:
        """What moto calls to change one."""
        properties = cloudformation_json["Properties"]
        return cls(cls.update(original_resource, new_resource_name, properties, account_id, region_name))
