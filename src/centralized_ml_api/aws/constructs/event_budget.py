"""The budget of the event: an e-mail before the money is spent, and when it will be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource

from centralized_ml_api.aws.tags import STACK_TAG

if TYPE_CHECKING:
    from constructs import Construct

    from centralized_ml_api.plan.event import BudgetPlan

WARNINGS = (("ACTUAL", 80), ("FORECASTED", 100))
"""At which percentage of the budget, of what was spent and of what AWS expects by the end of the month."""


def build_budget(scope: Construct, construct_id: str, budget: BudgetPlan, stack_name: str) -> CfnResource:
    """A budget of a month, of what has this stack's tag. It warns; it stops nothing.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-budgets-budget.html
    and https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create-filters.html
    """
    return CfnResource(
        scope,
        construct_id,
        type="AWS::Budgets::Budget",
        properties={
            "Budget": {
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": budget.usd, "Unit": "USD"},
                "CostFilters": {"TagKeyValue": [f"user:{STACK_TAG}${stack_name}"]},
            },
            "NotificationsWithSubscribers": [_warning(kind, at, budget.email) for kind, at in WARNINGS],
        },
    )


def _warning(kind: str, percent: int, email: str) -> dict[str, Any]:
    return {
        "Notification": {
            "NotificationType": kind,
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": percent,
            "ThresholdType": "PERCENTAGE",
        },
        "Subscribers": [{"SubscriptionType": "EMAIL", "Address": email}],
    }
