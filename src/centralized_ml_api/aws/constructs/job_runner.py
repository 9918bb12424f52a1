"""The function that runs jobs: the code and the role of the one that streams, called without waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.lambda_function import build_function
from centralized_ml_api.aws.constructs.resources import allow, build_inline_policy
from centralized_ml_api.plan.aws.jobs import AGAIN_SECONDS, QUEUE_SECONDS
from centralized_ml_api.plan.aws.streaming import STREAM_SECONDS

if TYPE_CHECKING:
    from centralized_ml_api.aws.constructs.lambda_function import FunctionAddress

RUNTIME = "nodejs24.x"
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

MEMORY_MIB = 512
"""Bodies of some megabytes pass through; more memory also means a faster start."""


@dataclass(frozen=True, slots=True)
class StreamParts:
    """What the function that streams and the one that runs jobs share; both wait for `policies`."""

    code: Mapping[str, str]
    environment: Mapping[str, str]
    role: CfnResource
    log: CfnResource
    policies: tuple[CfnResource, ...]


class JobRunner(Construct):
    """The function; the role of the one that streams may call it.

    `name` is Lambda's name of it. Whatever calls it depends on `needed`: without these a job could not be
    begun, or could run twice. It asks `keeper`, the function that admits callers, whether a team may still
    call; without teams there is none.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, parts: StreamParts, keeper: FunctionAddress | None
    ) -> None:
        super().__init__(scope, construct_id)
        function = build_function(
            self,
            description="Runs jobs, whose callers do not wait",
            code=parts.code,
            handler="job.handler",
            runtime=RUNTIME,
            timeout_seconds=STREAM_SECONDS,
            memory_mib=MEMORY_MIB,
            # No API Gateway waits here, so a model may be silent for as long as it may work.
            environment={
                **parts.environment,
                "IDLE_SECONDS": str(STREAM_SECONDS),
                "AGAIN_SECONDS": str(AGAIN_SECONDS),
                **({"KEY_FUNCTION": keeper.name} if keeper else {}),
            },
            role=parts.role,
            log=parts.log,
        )
        for policy in parts.policies:
            function.add_resource_dependency(policy)
        self.name = function.ref
        called = [function.get_att("Arn"), *([keeper.arn] if keeper else [])]
        invoke = allow(["lambda:InvokeFunction"], called)
        self.needed = (build_inline_policy(self, "Invoke", [invoke], parts.role), self._forbid_retries())

    def _forbid_retries(self) -> CfnResource:
        """Builds how Lambda runs it: once, because the model might do its work twice.

        Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html
        """
        properties = {
            "FunctionName": self.name,
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 0,
            "MaximumEventAgeInSeconds": QUEUE_SECONDS,
        }
        return CfnResource(self, "Once", type="AWS::Lambda::EventInvokeConfig", properties=properties)
