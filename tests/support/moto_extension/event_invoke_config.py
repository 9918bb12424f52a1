"""The gap: `AWS::Lambda::EventInvokeConfig` is skipped."""

from __future__ import annotations

from typing import ClassVar

from moto.awslambda.models import lambda_backends
from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class EventInvokeConfig(AddedResource, CloudFormationModel):
    """How a function runs that is called without waiting; it goes with its function."""

    type_name: ClassVar[str] = "AWS::Lambda::EventInvokeConfig"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it, in place of the one before."""
        del name
        function, version = properties["FunctionName"], properties["Qualifier"]
        settings = {key: properties[key] for key in properties if key.startswith("Maximum")}
        backend = lambda_backends[account_id][region]
        backend.get_function(function).event_invoke_config.clear()
        backend.put_function_event_invoke_config(function, settings)
        return f"{function}|{version}"
