"""Takes a caller's key from either header and passes it on to API Gateway: the authorizer, a Lambda function.

API Gateway then checks the key, its limits and whether it is revoked. Decided here is only which models the
key's team may not call, and only where a team of the config has a list of models.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEARER = "bearer "
_REFUSED: dict[str, list[str]] = json.loads(os.environ["REFUSED"])

PAUSE_SECONDS = 2.0
"""The pause between two look-ups, so that guessing keys does not use up API Gateway's rate limit.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (10 operations a second)
"""


class UnauthorizedError(Exception):
    """The error that API Gateway answers with a 401, which it does not cache."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def lambda_handler(lambda_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Returns the key, and the policy of what its caller may call.

    Raises:
        UnauthorizedError: there is no key, or no team of this API has it.
    """
    key = _key_of(lambda_event.get("headers") or {})
    if not key:
        raise UnauthorizedError
    refused = _refused_to(key, lambda_event["requestContext"]["apiId"]) if _REFUSED else []
    return {
        "principalId": "team",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": _statements(lambda_event["methodArn"], refused),
        },
        "usageIdentifierKey": key,
        "context": {"refused": json.dumps(refused)},
    }


def _key_of(headers: dict[str, str]) -> str:
    """Returns the key of `x-api-key`, else of `Authorization`; header names have the case that was sent."""
    named = {name.lower(): value for name, value in headers.items()}
    if named.get("x-api-key"):
        return named["x-api-key"]
    authorization = named.get("authorization", "")
    return authorization[len(_BEARER) :].strip() if authorization.lower().startswith(_BEARER) else ""


def _refused_to(key: str, api: str) -> list[str]:
    team = _OWNERS.find(key, api)
    if team is None:
        raise UnauthorizedError
    return _REFUSED.get(team, [])


def _statements(method_arn: str, refused: list[str]) -> list[dict[str, Any]]:
    """Allows everything but these models, because API Gateway caches the policy by key, not by path.

    The ARN of a method is `arn:aws:execute-api:region:account:api/stage/METHOD/path`.
    """
    stage = "/".join(method_arn.split("/")[:2])
    allowed = _statement("Allow", [f"{stage}/*"])
    return [allowed, _statement("Deny", [f"{stage}/*/{name}" for name in refused])] if refused else [allowed]


def _statement(effect: str, resources: list[str]) -> dict[str, Any]:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}


class Owners:
    """The teams by the values of their keys, looked up when an unknown key comes."""

    def __init__(self) -> None:
        """Begins without teams."""
        self._teams: dict[str, str] = {}
        self._asked = float("-inf")

    def find(self, key: str, api: str) -> str | None:
        """Returns the team that has this key for this API, None where no team has it."""
        if key not in self._teams and time.monotonic() - self._asked > PAUSE_SECONDS:
            self._teams = dict(_load_owners(api))
            self._asked = time.monotonic()
        return self._teams.get(key)


def _load_owners(api: str) -> Iterator[tuple[str, str]]:
    import boto3  # noqa: PLC0415  # takes a third of a second; needed only where teams have lists

    client = boto3.client("apigateway")
    for plan in _all(client, "get_usage_plans"):
        if api in {stage["apiId"] for stage in plan.get("apiStages", [])}:
            for key in _all(client, "get_usage_plan_keys", usagePlanId=plan["id"]):
                yield client.get_api_key(apiKey=key["id"], includeValue=True)["value"], plan["name"]


def _all(client: Any, operation: str, **asked: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**asked):
        yield from page.get("items", [])


_OWNERS = Owners()
