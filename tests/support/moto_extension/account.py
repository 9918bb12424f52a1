"""The gap: `AWS::ApiGateway::Account` is skipped (it names the role that writes the access logs)."""

from __future__ import annotations

from typing import ClassVar

from moto.apigateway.models import apigateway_backends
from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class Account(AddedResource, CloudFormationModel):
    """The settings of the whole account in one region; deleting the resource leaves them, as AWS does."""

    type_name: ClassVar[str] = "AWS::ApiGateway::Account"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Names the role."""
        role = properties.get("CloudWatchRoleArn")
        operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
        apigateway_backends[account_id][region].update_account([operation])
        return name
