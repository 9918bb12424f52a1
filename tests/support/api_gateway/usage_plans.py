"""API keys and usage plans: who a key is of, and how much it may call.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.api_gateway.document import resolve
from support.api_gateway.message import GatewayError

if TYPE_CHECKING:
    from support.api_gateway.document import Template

API_ID = "contract"
"""What API Gateway would call the API."""


@dataclass
class Key:
    """A key with its tags; its limits are its own, whatever other keys the plan has."""

    id: str
    value: str
    enabled: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    tokens: float | None = None
    filled: float = 0.0
    taken: int = 0


@dataclass(frozen=True)
class UsagePlan:
    """Limits, and the keys that they are for. `rate`, `burst` and `quota` are None where there is none."""

    id: str
    name: str
    rate: float | None
    burst: int | None
    quota: int | None
    keys: list[Key] = field(default_factory=list)


@dataclass(frozen=True)
class UsagePlans:
    """The plans of the API's stage; `clock` is in seconds."""

    plans: tuple[UsagePlan, ...]
    clock: Callable[[], float] = time.monotonic

    def key_of(self, plan: str) -> Key:
        """The first key of the plan with that name."""
        return next(each.keys[0] for each in self.plans if each.name == plan)

    def admit(self, value: str | None) -> Key:
        """Takes one call of the key.

        A key that is in no plan of the stage, or disabled, is refused like none; a throttled call does not
        count against the quota.
        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
        """
        for plan in self.plans:
            for key in plan.keys:
                if key.value == value and key.enabled:
                    self._throttle(plan, key)
                    _count(plan, key)
                    return key
        raise GatewayError("INVALID_API_KEY", "Forbidden")

    def _throttle(self, plan: UsagePlan, key: Key) -> None:
        """A bucket of `burst` tokens, filled at `rate`.

        Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
        """
        if plan.rate is None or plan.burst is None:
            return
        now = self.clock()
        before = plan.burst if key.tokens is None else key.tokens + (now - key.filled) * plan.rate
        key.tokens, key.filled = min(plan.burst, before), now
        if key.tokens < 1:
            raise GatewayError("THROTTLED", "Too Many Requests")
        key.tokens -= 1


def _count(plan: UsagePlan, key: Key) -> None:
    if plan.quota is not None and key.taken >= plan.quota:
        raise GatewayError("QUOTA_EXCEEDED", "Limit Exceeded")
    key.taken += 1


def read_usage_plans(template: Template, clock: Callable[[], float] = time.monotonic) -> UsagePlans:
    """The plans of a template, with values for its keys, as API Gateway makes them."""
    resources = {
        name: resource for name, resource in template["Resources"].items() if "Properties" in resource
    }
    keys = {
        name: _key(name, resolve(resource["Properties"], template))
        for name, resource in resources.items()
        if resource["Type"] == "AWS::ApiGateway::ApiKey"
    }
    plans = {
        name: _plan(name, resolve(resource["Properties"], template))
        for name, resource in resources.items()
        if resource["Type"] == "AWS::ApiGateway::UsagePlan"
    }
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGateway::UsagePlanKey":
            joined = resolve(resource["Properties"], template)
            plans[joined["UsagePlanId"]].keys.append(keys[joined["KeyId"]])
    return UsagePlans(tuple(plans.values()), clock)


def _key(name: str, properties: Mapping[str, Any]) -> Key:
    tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
    return Key(name, f"made-by-api-gateway-{name}", enabled=properties["Enabled"], tags=tags)


def _plan(name: str, properties: Mapping[str, Any]) -> UsagePlan:
    throttle, quota = properties.get("Throttle", {}), properties.get("Quota", {})
    return UsagePlan(
        name,
        properties["UsagePlanName"],
        throttle.get("RateLimit"),
        throttle.get("BurstLimit"),
        quota.get("Limit"),
    )
