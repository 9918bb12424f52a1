"""The end of the event: a schedule by which the stack deletes itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.role import allow, build_role, role_arn
from centralized_ml_api.aws.constructs.scheduler import only_from_here
from centralized_ml_api.aws.schedule_expression import render_expression

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.aws.constructs.stack_context import StackContext


class EventEnd(Construct):
    """A schedule that asks CloudFormation once, at the end, to delete the stack and all nested in it.

    Its role may do that and nothing else. What is then deleted is deleted by the role that the CDK CLI gave
    the stack when it was deployed.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html (RoleARN)
    and https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, ends: datetime, stack_context: StackContext
    ) -> None:
        super().__init__(scope, construct_id)
        stack = stack_context.stack
        CfnResource(
            self,
            "Schedule",
            type="AWS::Scheduler::Schedule",
            properties={
                "Description": f"The end of the event: deletes the stack {stack_context.stack_name}",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "ScheduleExpression": render_expression(ends),
                "ScheduleExpressionTimezone": "UTC",
                "Target": {
                    "Arn": f"arn:{stack_context.partition}:scheduler:::aws-sdk:cloudformation:deleteStack",
                    "Input": stack.to_json_string({"StackName": stack_context.stack_name}),
                    "RoleArn": role_arn(self._build_role(stack.stack_id)),
                },
            },
        )

    def _build_role(self, stack_id: str) -> CfnResource:
        return build_role(
            self,
            "Role",
            service="scheduler.amazonaws.com",
            description="Deletes this stack at the end of the event",
            condition=only_from_here(),
            inline={"Delete": [allow(["cloudformation:DeleteStack"], [stack_id])]},
        )
