"""The end of the event, by a schedule that deletes the stack, and its budget, which warns by e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.resources import allow, build_role, only_from_this_account, role_arn
from centralized_ml_api.aws.stack_contract import END_RATE, STACK_TAG, render_start

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.event import BudgetPlan

WARNINGS = (("ACTUAL", 80), ("FORECASTED", 100))
"""The percentages of the budget at which AWS warns: of actual and of forecasted costs of the month."""


class EventEnd(Construct):
    """A schedule that asks CloudFormation from the end on, every half hour, to delete the stack.

    One resource that will not go would otherwise end it, and what is left would cost money for ever. So
    everything else in the stack must depend on this: CloudFormation then makes it first and deletes it last.
    Its role may do only that. CloudFormation then deletes the resources by the role that the CDK CLI gave the
    stack when it was deployed.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html (RoleARN)
    and https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, ends: datetime, stack_context: StackContext
    ) -> None:
        super().__init__(scope, construct_id)
        stack = stack_context.stack
        role = build_role(
            self,
            "Role",
            service="scheduler.amazonaws.com",
            description="Deletes this stack at the end of the event",
            condition=only_from_this_account(),
            inline={"Delete": [allow(["cloudformation:DeleteStack"], [stack.stack_id])]},
        )
        CfnResource(
            self,
            "Schedule",
            type="AWS::Scheduler::Schedule",
            properties={
                "Description": f"The end of the event: deletes the stack {stack_context.stack_name}",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "ScheduleExpression": END_RATE,
                "ScheduleExpressionTimezone": "UTC",
                "StartDate": render_start(ends),
                "Target": {
                    "Arn": f"arn:{stack_context.partition}:scheduler:::aws-sdk:cloudformation:deleteStack",
                    "Input": stack.to_json_string({"StackName": stack_context.stack_name}),
                    "RoleArn": role_arn(role),
                },
            },
        )


def build_budget(scope: Construct, construct_id: str, budget: BudgetPlan, stack_name: str) -> CfnResource:
    """Builds a monthly budget for what has this stack's tag. It warns; it stops nothing.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-budgets-budget.html
    and https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create-filters.html

    Args:
        scope: the construct that holds it.
        construct_id: its id there.
        budget: the limit, and who is warned.
        stack_name: the value of the tag.
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
