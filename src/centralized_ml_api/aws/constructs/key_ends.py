"""What ends keys that were replaced, at the end of their grace: schedules, and the role that they act by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.role import allow, build_role, role_arn
from centralized_ml_api.aws.constructs.scheduler import only_from_here
from centralized_ml_api.aws.tags import STACK_TAG

if TYPE_CHECKING:
    from centralized_ml_api.aws.constructs.stack_context import StackContext


class KeyEnds(Construct):
    """`role` is the ARN of a role that can change this stack's keys and nothing else.

    The schedules themselves come when a key is rotated; their group goes with the stack, and they with it.
    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html
    """

    def __init__(self, scope: Construct, construct_id: str, *, stack_context: StackContext) -> None:
        super().__init__(scope, construct_id)
        CfnResource(self, "Group", type="AWS::Scheduler::ScheduleGroup", properties={})
        keys = f"arn:{stack_context.partition}:apigateway:{stack_context.region}::/apikeys/*"
        own = {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": stack_context.stack_name}}
        role = build_role(
            self,
            "Role",
            service="scheduler.amazonaws.com",
            description="Ends keys that were replaced",
            condition=only_from_here(),
            inline={"End": [allow(["apigateway:PATCH"], [keys], own)]},
        )
        self.role = role_arn(role).to_string()
