"""The end of the event, by schedules that delete the endpoints and the stack, and its budget, which warns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource, Stack
from constructs import Construct

from centralized_ml_api.aws.constructs.resources import allow, build_role, only_from_this_account, role_arn
from centralized_ml_api.aws.stack.contract import (
    DELETE_COMPONENT,
    DELETE_ENDPOINT,
    DELETE_STACK,
    END_RATE,
    STACK_TAG,
    render_start,
)
from centralized_ml_api.plan.aws.event import END_RETRY_MINUTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from aws_cdk import Reference

    from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.event import BudgetPlan

WARNINGS = (("ACTUAL", 80), ("FORECASTED", 100))
"""The percentages of the budget at which AWS warns: of actual and of forecasted costs of the month."""


class EventEnd(Construct):
    """A schedule that asks CloudFormation from the end on, every half hour, to delete the stack.

    One resource that will not go would otherwise end it, and what is left would cost money for ever. So
    everything else in the stack must depend on `schedule`: CloudFormation then makes it first and deletes it
    last. Its role may do only that. CloudFormation then deletes the resources by the role that the CDK CLI
    gave the stack when it was deployed. With a topic, it is told when CloudFormation gives up.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html (RoleARN)
    and https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        start: datetime,
        topic: CfnResource | None,
        stack_context: StackContext,
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
        self.rule = _build_failure_rule(self, topic.ref, stack_context) if topic else None
        self.schedule = _build_schedule(
            self,
            "Schedule",
            says=f"The end of the event: deletes the stack {stack_context.stack_name}",
            start=start,
            call=f"arn:{stack_context.partition}:scheduler:::aws-sdk:{DELETE_STACK}",
            asked={"StackName": stack_context.stack_name},
            role_arn=role_arn(role),
        )


class EndpointEnds(Construct):
    """Schedules that delete endpoints from the end on, every half hour, before the stack goes.

    CloudFormation deletes what refers to an endpoint first; if that will not go, the endpoint would be billed
    on. The role may delete the endpoints with this stack's tag, and take away the scaling of theirs, which
    SageMaker does at the same time by the caller's permissions.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
    and https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        start: datetime,
        scaled: bool,
        components: bool,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        self._start, self._stack_context = start, stack_context
        own = {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": stack_context.stack_name}}
        deleted = [("sagemaker:DeleteEndpoint", "sagemaker", "endpoint")]
        if components:
            deleted.append(("sagemaker:DeleteInferenceComponent", "sagemaker", "inference-component"))
        if scaled:
            scaling = "application-autoscaling"
            deleted.append((f"{scaling}:DeregisterScalableTarget", scaling, "scalable-target"))
        statements = [
            allow(
                [action],
                [stack_context.stack.format_arn(service=service, resource=kind, resource_name="*")],
                own,
            )
            for action, service, kind in deleted
        ]
        role = build_role(
            self,
            "Role",
            service="scheduler.amazonaws.com",
            description="Deletes the endpoints of this stack at the end of the event",
            condition=only_from_this_account(),
            inline={"Delete": statements},
        )
        self._role_arn = role_arn(role)

    def build(self, scope: Construct, address: EndpointAddress) -> Iterator[CfnResource]:
        """Builds the schedule of one endpoint, and that of its component, in the endpoint's own stack.

        A component outlives its endpoint, and may keep SageMaker from deleting it.
        """
        deleted = [("End", "an endpoint", DELETE_ENDPOINT, {"EndpointName": address.name})]
        if address.component:
            named = {"InferenceComponentName": address.component}
            deleted.append(("EndComponent", "an inference component", DELETE_COMPONENT, named))
        for construct_id, what, call, asked in deleted:
            yield _build_schedule(
                scope,
                construct_id,
                says=f"The end of the event: deletes {what}",
                start=self._start,
                call=f"arn:{self._stack_context.partition}:scheduler:::aws-sdk:{call}",
                asked=asked,
                role_arn=self._role_arn,
            )


def _build_schedule(
    scope: Construct,
    construct_id: str,
    *,
    says: str,
    start: datetime,
    call: str,
    asked: Mapping[str, str],
    role_arn: Reference,
) -> CfnResource:
    """Builds a schedule that calls an AWS service from `start` on, until it is deleted.

    A call that fails is not tried again after the next one is due.
    """
    target = {
        "Arn": call,
        "Input": Stack.of(scope).to_json_string(dict(asked)),
        "RetryPolicy": {"MaximumEventAgeInSeconds": END_RETRY_MINUTES * 60},
        "RoleArn": role_arn,
    }
    properties = {
        "Description": says,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ScheduleExpression": END_RATE,
        "ScheduleExpressionTimezone": "UTC",
        "StartDate": render_start(start),
        "Target": target,
    }
    return CfnResource(scope, construct_id, type="AWS::Scheduler::Schedule", properties=properties)


def _build_failure_rule(scope: Construct, topic: str, stack_context: StackContext) -> CfnResource:
    """Builds a rule that tells a topic when the stack could not be deleted, in words.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html
    and https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    name, region = stack_context.stack_name, stack_context.region
    text = (
        f"CloudFormation could not delete the stack {name} in {region}: <reason>"
        f" From the end of the event on, it tries again every {END_RETRY_MINUTES} minutes. To try at once,"
        f" and to see what is left and costs money: mlapi destroy --stack {name} --region {region}"
    )
    pattern = {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Stack Status Change"],
        "detail": {
            "stack-id": [stack_context.stack.stack_id],
            "status-details": {"status": ["DELETE_FAILED"]},
        },
    }
    words = {
        "InputPathsMap": {"reason": "$.detail.status-details.status-reason"},
        "InputTemplate": f'"{text}"',
    }
    properties = {
        "Description": f"The stack {name} could not be deleted",
        "EventPattern": pattern,
        "Targets": [{"Id": "Mail", "Arn": topic, "InputTransformer": words}],
    }
    return CfnResource(scope, "Failed", type="AWS::Events::Rule", properties=properties)


def build_budget(scope: Construct, construct_id: str, budget: BudgetPlan, stack_name: str) -> CfnResource:
    """Builds a monthly budget for what has this stack's tag. It warns; it stops nothing.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-budgets-budget.html
    and https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-create-filters.html

    Args:
        scope: The construct that holds it.
        construct_id: Its id there.
        budget: The limit, and who is warned.
        stack_name: The value of the tag.
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
