"""The gap: `AWS::ApiGateway::ApiKey`, `UsagePlan` and `UsagePlanKey` are skipped.

A key can be in one plan of each stage only.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from moto.apigateway.exceptions import ConflictException
from moto.apigateway.models import apigateway_backends
from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties

if TYPE_CHECKING:
    from moto.apigateway.models import APIGatewayBackend


def close() -> None:
    """Defining the classes is enough: moto looks for subclasses."""


def _backend(account_id: str, region: str) -> APIGatewayBackend:
    found: APIGatewayBackend = apigateway_backends[account_id][region]
    return found


def _tags(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


class _Kept(AddedResource):
    """A resource that an update changes where it is."""

    @classmethod
    def change(cls, physical_id: str, properties: Properties, account_id: str, region: str) -> None:
        """Makes it what the template says."""
        raise NotImplementedError

    @classmethod
    def update(
        cls, before: AddedResource, name: str, properties: Properties, account_id: str, region: str
    ) -> str:
        """It keeps its id."""
        del name
        cls.change(before.physical_resource_id, properties, account_id, region)
        return before.physical_resource_id


class Key(_Kept, CloudFormationModel):
    """A key, whose value moto makes when the template gives none."""

    type_name: ClassVar[str] = "AWS::ApiGateway::ApiKey"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it."""
        asked = {"name": properties.get("Name", name), "enabled": properties.get("Enabled", False)}
        made = _backend(account_id, region).create_api_key({**asked, "tags": _tags(properties)})
        return str(made.id)

    @classmethod
    def change(cls, physical_id: str, properties: Properties, account_id: str, region: str) -> None:
        """Its tags; its value stays."""
        _backend(account_id, region).get_api_key(physical_id).tags = _tags(properties)  # type: ignore[assignment]  # moto gives them back as they are

    def delete(self, account_id: str, region: str) -> None:
        """Removes it, where it is still there."""
        _backend(account_id, region).keys.pop(self.physical_resource_id, None)


class Plan(_Kept, CloudFormationModel):
    """A usage plan with its limits and its stages."""

    type_name: ClassVar[str] = "AWS::ApiGateway::UsagePlan"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it."""
        payload = {
            "name": properties.get("UsagePlanName", name),
            "tags": _tags(properties),
            **_limits(properties),
        }
        return str(_backend(account_id, region).create_usage_plan(payload).id)

    @classmethod
    def change(cls, physical_id: str, properties: Properties, account_id: str, region: str) -> None:
        """Its limits and stages."""
        plan, limits = _backend(account_id, region).get_usage_plan(physical_id), _limits(properties)
        plan.throttle, plan.quota = limits["throttle"], limits["quota"]
        plan.api_stages = limits["apiStages"]

    def delete(self, account_id: str, region: str) -> None:
        """Removes it."""
        _backend(account_id, region).usage_plans.pop(self.physical_resource_id, None)


class PlanKey(AddedResource, CloudFormationModel):
    """That a key is of a plan."""

    type_name: ClassVar[str] = "AWS::ApiGateway::UsagePlanKey"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it."""
        del name
        asked = {"keyId": properties["KeyId"], "keyType": properties["KeyType"]}
        _refuse_second_plan(_backend(account_id, region), properties["UsagePlanId"], asked["keyId"])
        _backend(account_id, region).create_usage_plan_key(properties["UsagePlanId"], asked)
        return f"{properties['KeyId']}:{properties['UsagePlanId']}"

    def delete(self, account_id: str, region: str) -> None:
        """Takes the key out of the plan."""
        key, _, plan = self.physical_resource_id.partition(":")
        _backend(account_id, region).usage_plan_keys.get(plan, {}).pop(key, None)


def _refuse_second_plan(backend: APIGatewayBackend, plan_id: str, key_id: str) -> None:
    stages = backend.get_usage_plan(plan_id).api_stages
    for other, keys in backend.usage_plan_keys.items():
        shared = other != plan_id and other in backend.usage_plans and key_id in keys
        if shared and any(stage in stages for stage in backend.usage_plans[other].api_stages):
            raise ConflictException(f"API Key {key_id} is already in a usage plan of the stage")


def _limits(properties: Properties) -> dict[str, Any]:
    throttle, quota = properties.get("Throttle", {}), properties.get("Quota", {})
    return {
        "apiStages": [
            {"apiId": stage["ApiId"], "stage": stage["Stage"]} for stage in properties["ApiStages"]
        ],
        "throttle": {key[0].lower() + key[1:]: value for key, value in throttle.items()},
        "quota": {key.lower(): value for key, value in quota.items()},
    }
