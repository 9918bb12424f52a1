"""The role by which the API calls endpoints and functions and reads documents: exactly those of its paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from centralized_ml_api.aws.constructs.role import allow, build_managed_policy, build_role, role_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from centralized_ml_api.plan.aws.types import AwsPlan


class ApiRole(Construct):
    """`arn` is that of the role that API Gateway acts as.

    A policy holds so many ARNs only; the plan says which go together.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: AwsPlan,
        endpoint_arns: Mapping[str, str],
        function_arns: Mapping[str, str],
        stream_arn: str,
        document_arns: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        policies = [
            *self._policies("Endpoints", "sagemaker:InvokeEndpoint", plan.endpoint_policies, endpoint_arns),
            *self._policies("Functions", "lambda:InvokeFunction", plan.function_policies, function_arns),
        ]
        invoke = allow(["lambda:InvokeFunction"], [stream_arn])  # the same action as for answers in one piece
        policies.append(build_managed_policy(self, "Stream", [invoke]))
        policies.append(build_managed_policy(self, "Documents", [allow(["s3:GetObject"], document_arns)]))
        role = build_role(
            self,
            "Role",
            service="apigateway.amazonaws.com",
            description="Calls the models and functions behind the API",
            managed=policies,
        )
        self.arn = role_arn(role).to_string()

    def _policies(
        self, kind: str, action: str, lists: Sequence[Sequence[str]], arns: Mapping[str, str]
    ) -> Iterable[str]:
        for number, names in enumerate(lists, 1):
            resources = list(dict.fromkeys(arns[name] for name in names))
            yield build_managed_policy(self, f"{kind}{number}", [allow([action], resources)])
