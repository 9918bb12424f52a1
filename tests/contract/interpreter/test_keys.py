"""Authorizers and usage plans, by what AWS's pages say of them."""

from __future__ import annotations

import pytest

from support.api_gateway.authorizers import check_policy, matches_arn
from support.api_gateway.message import GatewayError
from support.api_gateway.usage_plans import Key, UsagePlan, UsagePlans

ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request"


def kind_of(usage: UsagePlans, value: str) -> str | None:
    """The gateway response of a call with that key; None when it passes."""
    try:
        usage.admit(value)
    except GatewayError as error:
        return error.kind
    return None


def build_usage(now: list[float], *, rate: float | None = None, quota: int | None = None) -> UsagePlans:
    """One plan with two keys, and a clock that stands still."""
    keys = [Key("1", "first"), Key("2", "second")]
    plan = UsagePlan("p", "a plan", rate, 2 if rate else None, quota, keys)
    return UsagePlans((plan,), lambda: now[0])


def test_a_burst_passes_and_the_rate_fills_it_again() -> None:
    now = [0.0]
    usage = build_usage(now, rate=1)
    assert [kind_of(usage, "first") for _ in range(3)] == [None, None, "THROTTLED"]
    now[0] = 1.0
    assert [kind_of(usage, "first") for _ in range(2)] == [None, "THROTTLED"]


def test_limits_hold_for_each_key_of_a_plan() -> None:
    usage = build_usage([0.0], quota=1)
    assert [kind_of(usage, "first") for _ in range(2)] == [None, "QUOTA_EXCEEDED"]
    assert kind_of(usage, "second") is None


def test_a_key_of_no_plan_or_disabled_is_invalid() -> None:
    usage = build_usage([0.0])
    usage.plans[0].keys[0].enabled = False
    assert [kind_of(usage, item) for item in ("first", "third", "")] == ["INVALID_API_KEY"] * 3


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (ARN, True),
        ("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/*", True),
        ("arn:aws:execute-api:us-east-1:123456789012:abcdef123/*/GET/request", True),
        ("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/POST/*", False),
        ("arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/reques?", True),
    ],
)
def test_resources_of_a_policy_may_have_wildcards(pattern: str, matches: bool) -> None:  # noqa: FBT001  # a column
    assert matches_arn(pattern, ARN) is matches


def test_denying_wins_and_nothing_is_allowed_by_default() -> None:
    def policy(*effects: str) -> dict[str, object]:
        return {"policyDocument": {"Statement": [{"Effect": effect, "Resource": "*"} for effect in effects]}}

    check_policy(policy("Allow"), ARN)
    for refused in (policy("Allow", "Deny"), policy()):
        with pytest.raises(GatewayError, match="not authorized"):
            check_policy(refused, ARN)
