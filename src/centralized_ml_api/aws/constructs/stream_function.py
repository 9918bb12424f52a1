"""The one Lambda function that streams, speaks OpenAI's API and tells which models are ready.

Its code is the folder beside this file, and the texts of the API's errors.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnResource
from constructs import Construct

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.aws.constructs.assets import ship_files
from centralized_ml_api.aws.constructs.endpoint_address import EndpointPolicies
from centralized_ml_api.aws.constructs.job_runner import MEMORY_MIB, RUNTIME, JobRunner, StreamParts
from centralized_ml_api.aws.constructs.lambda_function import build_function, build_function_role
from centralized_ml_api.aws.constructs.resources import allow, build_log_group
from centralized_ml_api.aws.constructs.stream_function_code import load_stream_code
from centralized_ml_api.aws.constructs.tables import (
    build_table,
    may_count,
    may_keep_jobs,
    may_read_names,
)
from centralized_ml_api.aws.stack.contract import MESSAGE_VARIABLE, NO_MESSAGE
from centralized_ml_api.plan.aws.bedrock import ACCOUNT, INVOKE_BEDROCK, PARTITION, list_grants
from centralized_ml_api.plan.aws.streaming import build_row, render_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress
    from centralized_ml_api.aws.constructs.lambda_function import FunctionAddress
    from centralized_ml_api.aws.constructs.provider_secrets import ProviderSecrets
    from centralized_ml_api.aws.constructs.resources import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.bedrock import BedrockGrant
    from centralized_ml_api.plan.aws.types import StreamModel, StreamPlan

DESCRIBE = "sagemaker:DescribeEndpoint"
INVOKE = (DESCRIBE, "sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream")


class StreamFunction(Construct):
    """The function: may describe the endpoints of its plan, invoke those it serves, and read its secrets.

    It answers the paths that `other_paths` describes, and calls teams that joined by their names, which
    `join_table` has. Jobs ask `keeper`, the function that admits callers. `arn` is its ARN.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: StreamPlan,
        endpoints: Mapping[str, EndpointAddress],
        secrets: ProviderSecrets,
        other_paths: Mapping[str, Any],
        stack_context: StackContext,
        ends: datetime | None = None,
        join_table: CfnResource | None = None,
        keeper: FunctionAddress | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        log = build_log_group(self, "Log", stack_context.log_retention_days)
        self._components = {name: endpoint.component for name, endpoint in endpoints.items()}
        addresses = _find_addresses(plan, endpoints, secrets)
        tables = [parameter.ref for parameter in self._build_tables(plan, addresses)]
        table = build_table(self, "Spending") if plan.spending.is_counted else None
        jobs = build_table(self, "Jobs") if plan.jobs else None
        role = build_function_role(
            self,
            description="The function that streams",
            log=log,
            statements=[
                *self._list_statements(plan, tables, secrets, stack_context),
                *([may_count(table)] if table else ()),
                *([may_read_names(join_table)] if join_table else ()),
                *([may_keep_jobs(jobs)] if jobs else ()),
            ],
            managed=stack_context.network_policies.functions,
        )
        called = EndpointPolicies(self, role, endpoints)
        called.add("Endpoints", INVOKE, plan.policies)
        called.add("Watched", (DESCRIBE,), plan.described)  # a logical ID: a new one would replace the policy
        environment = {
            **self._environment(plan, tables, addresses),
            **({"EVENT_ENDS": render_instant(ends)} if ends else {}),
            **({"SPENDING_TABLE": table.ref} if table else {}),
            **({"JOIN_TABLE": join_table.ref} if join_table else {}),
            **({"JOBS_TABLE": jobs.ref} if jobs else {}),
        }
        code = ship_files("stream_function", load_stream_code(plan.spending, other_paths), stack_context)
        parts = StreamParts(code, environment, role, log, tuple(called.all))
        self.arn = self._build(plan, parts, keeper).get_att("Arn").to_string()

    def _build(self, plan: StreamPlan, parts: StreamParts, keeper: FunctionAddress | None) -> CfnResource:
        """Builds the function, and that which runs jobs, where there are any."""
        runner = JobRunner(self, "JobRunner", parts=parts, keeper=keeper) if plan.jobs else None
        function = build_function(
            self,
            description="Streams answers, and speaks the API of OpenAI",
            code=parts.code,
            handler="index.handler",
            runtime=RUNTIME,
            timeout_seconds=plan.timeout_seconds,
            memory_mib=MEMORY_MIB,
            environment={
                **parts.environment,
                MESSAGE_VARIABLE: NO_MESSAGE,
                **({"JOB_FUNCTION": runner.name} if runner else {}),
            },
            role=parts.role,
            log=parts.log,
        )
        for needed in (*parts.policies, *(runner.needed if runner else ())):
            function.add_resource_dependency(needed)
        return function

    def _environment(
        self, plan: StreamPlan, tables: Sequence[str], addresses: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Returns what the function is told of the plan; `tables` names the parameters with its models."""
        models = (
            {"MODEL_PARAMETERS": json.dumps(tables)}
            if tables
            else {"MODELS": self._render(plan.models, addresses)}
        )
        return {
            "IDLE_SECONDS": str(plan.idle_seconds),
            "HEALTH_SECONDS": str(plan.health_seconds),
            **({} if plan.health_names else {"HEALTH_NAMES": "no"}),
            "MODELS_VERSION": self._version(plan),
            **models,
        }

    @staticmethod
    def _list_statements(
        plan: StreamPlan, tables: Sequence[str], secrets: ProviderSecrets, stack_context: StackContext
    ) -> Sequence[Statement]:
        """Returns what the function may read and call, but for endpoints; `tables` names parameters."""
        arns = [_parameter_arn(name, stack_context) for name in tables]
        return [
            *([allow(["ssm:GetParameters"], arns)] if arns else []),
            *secrets.may_read(plan.secrets),
            *_allow_bedrock(list_grants(plan.bedrock), stack_context),
        ]

    def _render(self, models: Iterable[StreamModel], addresses: Mapping[str, str]) -> str:
        rows = (
            (model.name, build_row(model, addresses[model.name], self._components.get(model.name, "")))
            for model in models
        )
        return render_table([*rows])

    def _version(self, plan: StreamPlan) -> str:
        """Returns a text that changes with the models, so that running functions are replaced."""
        text = f"{plan.models!r}{''.join(self._components.values())}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _build_tables(self, plan: StreamPlan, addresses: Mapping[str, str]) -> Sequence[CfnResource]:
        """Builds the parameters with the models; none where the function's environment has room for them."""
        models = {model.name: model for model in plan.models}
        return [
            CfnResource(
                self,
                f"Models{number}",
                type="AWS::SSM::Parameter",
                properties={
                    "Type": "String",
                    "Value": self._render([models[name] for name in names], addresses),
                },
            )
            for number, names in enumerate(plan.tables, 1)
        ]


def _find_addresses(
    plan: StreamPlan, endpoints: Mapping[str, EndpointAddress], secrets: ProviderSecrets
) -> dict[str, str]:
    """Returns AWS's name of each model's endpoint, or of the secret with its provider's key."""
    addresses = {name: endpoint.name for name, endpoint in endpoints.items()}
    return addresses | {
        model.name: secrets.address(model.provider.secret if model.provider else None)
        for model in plan.models
        if not model.endpoint
    }


def _parameter_arn(name: str, stack_context: StackContext) -> str:
    return stack_context.stack.format_arn(service="ssm", resource="parameter", resource_name=name)


def _allow_bedrock(grants: Iterable[BedrockGrant], stack_context: StackContext) -> Iterable[Statement]:
    """Yields a statement for all models of Bedrock called by themselves, and one for each profile's model."""

    def complete(arn: str) -> str:
        return arn.replace(PARTITION, stack_context.partition).replace(ACCOUNT, stack_context.account)

    known = tuple(grants)
    alone = [complete(grant.resource) for grant in known if grant.profile is None]
    if alone:
        yield allow(INVOKE_BEDROCK, alone)
    for grant in known:
        if grant.profile is not None:
            condition = {"StringEquals": {"bedrock:InferenceProfileArn": complete(grant.profile)}}
            yield allow(INVOKE_BEDROCK, [complete(grant.resource)], condition)
