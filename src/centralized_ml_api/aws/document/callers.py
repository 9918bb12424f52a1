"""Restricts from where an API may be called: its resource policy. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.plan.account import AccountPlan

POLICY = "x-amazon-apigateway-policy"
"""In the document, so that a changed policy redeploys the stage: without that it would not apply.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
"""


def restrict_callers(document: Mapping[str, Any], account: AccountPlan) -> dict[str, Any]:
    """Returns the document with the policy that the account demands; as it is where it demands none.

    A private API sees the address of a caller in its network by another key.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html
    """
    address = "aws:VpcSourceIp" if account.private else "aws:SourceIp"
    conditions = []
    if account.private:
        conditions.append({"StringNotEquals": {"aws:SourceVpce": [*account.private]}})
    if account.allow_from:
        conditions.append({"NotIpAddress": {address: [*account.allow_from]}})
    if not conditions:
        return {**document}
    refused = [_statement("Deny", condition) for condition in conditions]
    policy = {"Version": "2012-10-17", "Statement": [_statement("Allow"), *refused]}
    return {**document, POLICY: policy}


def _statement(effect: str, condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    every_call = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    return {"Effect": effect, **every_call, **({"Condition": condition} if condition else {})}
