"""The gap: moto makes one resource after another, and API Gateway's keys in any order.

CloudFormation does at once whatever does not wait for something else. API Gateway then refuses: it joins one
key with a plan at a time, changes one plan every 20 seconds, and makes five keys a second.
Source: https://github.com/serverless/serverless/issues/12065 and
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.cloudformation.exceptions import ValidationError

from centralized_ml_api.aws.deploy.template_diff import dependencies

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

KEYS_A_SECOND = 5
_CONCURRENT = (
    'Resource handler returned message: "Unable to complete operation due to concurrent modification. Please'
    ' try again later. (Service: ApiGateway, Status Code: 409)" (HandlerErrorCode: AlreadyExists)'
)
_TOO_MANY = (
    'Resource handler returned message: "Too Many Requests (Service: ApiGateway, Status Code: 429)"'
    " (HandlerErrorCode: Throttling)"
)
_PLAN, _PLAN_KEY, _KEY = (f"AWS::ApiGateway::{name}" for name in ("UsagePlan", "UsagePlanKey", "ApiKey"))

Resources = dict[str, Any]


def check_order(resources: Resources, made: Collection[str], changed: Collection[str]) -> None:
    """Refuses what API Gateway would, before anything is done.

    Args:
        resources: those of the template.
        made: the logical ids that this operation makes.
        changed: those that it changes.

    Raises:
        ValidationError: too many of one kind are done at once.
    """
    earlier = _all_earlier(dependencies(resources))
    for kind, names, at_once, message in (
        (_PLAN_KEY, made, 1, _CONCURRENT),
        (_PLAN, changed, 1, _TOO_MANY),
        (_KEY, made, KEYS_A_SECOND, _TOO_MANY),
    ):
        asked = [name for name in names if resources[name]["Type"] == kind]
        for name in asked:
            beside = [other for other in asked if other not in earlier(name) and name not in earlier(other)]
            if len(beside) > at_once:
                raise ValidationError(message=f"{name} ({kind}): {message}")


def _all_earlier(needs: Mapping[str, list[str]]) -> Callable[[str], set[str]]:
    """A function that returns all that is done before a resource, itself not included."""
    known: dict[str, set[str]] = {}

    def earlier(name: str) -> set[str]:
        if name not in known:
            found, left = set[str](), list(needs[name])
            while left:
                other = left.pop()
                if other not in found:
                    found.add(other)
                    left += needs[other]
            known[name] = found
        return known[name]

    return earlier
