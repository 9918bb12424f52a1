"""`CentralizedMlApi`: a whole API as one construct, for this project's stack or any other CDK app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import NestedStack
from constructs import Construct

from centralized_ml_api.api.documents import build_documents
from centralized_ml_api.api.entry_details import Known
from centralized_ml_api.api.openapi import build_openapi
from centralized_ml_api.aws.constructs.assets import store_documents
from centralized_ml_api.aws.constructs.company_account import apply_account, build_network_policy
from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress, adopted_address
from centralized_ml_api.aws.constructs.event import EventEnd, build_budget
from centralized_ml_api.aws.constructs.hosted_model import HostedModel
from centralized_ml_api.aws.constructs.http_api import STAGE, HttpApi
from centralized_ml_api.aws.constructs.lambda_function import ModelFunction
from centralized_ml_api.aws.constructs.monitoring import Alarms, build_dashboard
from centralized_ml_api.aws.constructs.roles import ApiRole, ExecutionRole
from centralized_ml_api.aws.constructs.stack_context import StackContext
from centralized_ml_api.aws.constructs.stream_function import StreamFunction
from centralized_ml_api.aws.constructs.team_keys import KeyEnds, KeyFunction, TeamKeys
from centralized_ml_api.aws.document.callers import restrict_callers
from centralized_ml_api.aws.document.event import Authorizer
from centralized_ml_api.aws.document.extend import Addresses, extend_document
from centralized_ml_api.aws.document.own_paths import StoredDocument
from centralized_ml_api.plan.aws.types import AdoptedEndpoint, DirectRoute
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from aws_cdk import Reference

    from centralized_ml_api.api.entry_details import Sample
    from centralized_ml_api.plan.aws.types import AwsPlan, Endpoint


@dataclass(frozen=True, slots=True)
class EventKeys:
    """API Gateway's ids of the keys by team, and the ARN of the role that ends replaced keys."""

    ids: Mapping[str, str]
    ending_role: str


class CentralizedMlApi(Construct):
    """The API of a plan: models, functions, roles, and the REST API in front of them.

    Attributes:
        url: the address of the API, with a slash at its end.
        domain_target: what the name of your own must be a CNAME of, None without one.
        endpoints: the SageMaker endpoints of our own, by the names of the config.
        keys: the keys of the teams, None where nobody needs one.
        dashboard: CloudWatch's name of the dashboard, None where the config asks for none.

    Args of the constructor:
        plan: what `centralized_ml_api.plan.aws.build.build_aws_plan` decided.
        samples: bodies that are files, for the catalogue: what `centralized_ml_api.api.entry_details` loaded.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: AwsPlan,
        samples: Mapping[str, Sample] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._plan = plan
        self._samples = samples or {}
        self._stack_context = StackContext(
            self,
            log_retention_days=plan.log_retention_days,
            network_policies=build_network_policy(self, plan.api.account.vpc),
        )
        # Each group of the plan is a nested stack; None stands for this one.
        self._groups: dict[str | None, Construct] = {None: self}
        self._groups.update({group: NestedStack(self, group) for group in plan.groups})
        self._folders: dict[tuple[str | None, str], Construct] = {}
        self.endpoints = self._build_models()
        self._functions = self._build_functions()
        self._stream_arn = StreamFunction(
            self,
            "Stream",
            plan=plan.stream,
            endpoints={model.name: self._address(model.endpoint) for model in plan.stream.models},
            ends=plan.api.event.ends,
            stack_context=self._stack_context,
        ).arn
        api = self._build_api()
        self.url = api.url
        self.domain_target = api.domain_target
        self.keys = self._build_keys(api)
        self._build_budget()
        self.dashboard = self._build_dashboard()
        self._build_end()  # last: everything depends on it
        apply_account(self, plan.api.account)

    def _build_models(self) -> Mapping[str, EndpointAddress]:
        existing = self._plan.api.account.execution_role
        arns: dict[str, str | Reference] = {
            role.id: ExecutionRole(self, f"{role.id}Role", plan=role, stack_context=self._stack_context).arn
            for role in self._plan.roles
        }
        return {
            model.name: HostedModel(
                self._folder(model.group, "Models"),
                model.name,
                plan=model,
                role_arn=existing or arns[model.role],
            ).address
            for model in self._plan.models
        }

    def _build_functions(self) -> Mapping[str, str]:
        """Builds the functions before models; returns their ARNs by the names of the entries."""
        return {
            function.name: ModelFunction(
                self._folder(function.group, "Functions"),
                function.name,
                plan=function,
                endpoint=self._address(function.endpoint),
                stack_context=self._stack_context,
            ).arn
            for function in self._plan.functions
        }

    def _build_api(self) -> HttpApi:
        plan, here = self._plan, self._stack_context
        called = {
            route.name: self._address(route.endpoint)
            for route in plan.routes
            if isinstance(route, DirectRoute)
        }
        known = Known(licences=plan.licences, tasks=plan.tasks, samples=self._samples)
        documents = build_documents(plan.api, plan.openai, known=known, root=f"/{STAGE}")
        stored = store_documents(self, documents, here.synthesizer)
        role = ApiRole(
            self,
            "ApiRole",
            plan=plan,
            endpoints=called,
            function_arns=self._functions,
            stream_arn=self._stream_arn,
            document_arns=[f"arn:{here.partition}:s3:::{place.bucket}/{place.key}" for _, place in stored],
        )
        service = f"arn:{here.partition}:apigateway:{here.region}"
        addresses = Addresses(
            service=service,
            role=role.arn,
            endpoints={name: address.name for name, address in called.items()},
            functions=self._functions,
            stream=self._stream_arn,
            stored=tuple(
                StoredDocument(document, f"{place.bucket}/{place.key}") for document, place in stored
            ),
            authorizer=self._build_authorizer(service),
            timeout_seconds=plan.api.account.integration_timeout_seconds or GATEWAY_TIMEOUT_SECONDS,
        )
        public = build_openapi(plan.api, plan.openai)
        return HttpApi(
            self,
            "Http",
            document=restrict_callers(
                extend_document(public, plan.routes, addresses, plan.openai, plan.api.event.ends),
                plan.api.account,
            ),
            throttle=plan.throttle,
            account=plan.api.account,
            stack_context=self._stack_context,
            after=role.policies,
        )

    def _build_authorizer(self, service: str) -> Authorizer | None:
        if not self._plan.access.teams:
            return None
        function = KeyFunction(
            self, "KeyFunction", access=self._plan.access, stack_context=self._stack_context
        )
        uri = f"{service}:lambda:path/2015-03-31/functions/{function.arn}/invocations"
        return Authorizer(uri, function.caller)

    def _build_keys(self, api: HttpApi) -> EventKeys | None:
        teams = self._plan.access.teams
        if not teams:
            return None
        keys = TeamKeys(self, "Teams", teams=teams, api=api, stack_name=self._stack_context.stack_name)
        return EventKeys(keys.ids, KeyEnds(self, "KeyEnds", stack_context=self._stack_context).role)

    def _build_budget(self) -> None:
        event = self._plan.api.event
        if event.budget:
            build_budget(self, "Budget", event.budget, self._stack_context.stack_name)

    def _build_end(self) -> None:
        event = self._plan.api.event
        if event.ends:
            end = EventEnd(self, "End", ends=event.ends, stack_context=self._stack_context)
            for child in self.node.children:
                if child is not end:
                    child.node.add_dependency(end)

    def _build_dashboard(self) -> str | None:
        plan = self._plan.dashboard
        if plan is None:
            return None
        if plan.email:
            Alarms(self, "Alarms", alarms=plan.alarms, email=plan.email, stack_context=self._stack_context)
        functions = {name: self._functions[name] for name in plan.functions}
        streaming = {"(streams)": self._stream_arn} if plan.streams else {}
        return build_dashboard(
            self,
            "Dashboard",
            endpoints={name: self.endpoints[name].name for name in plan.endpoints},
            functions={**functions, **streaming},
            stack_context=self._stack_context,
        ).ref

    def _address(self, endpoint: Endpoint) -> EndpointAddress:
        if isinstance(endpoint, AdoptedEndpoint):
            return adopted_address(self._stack_context.stack, endpoint.endpoint_name)
        return self.endpoints[endpoint.name]

    def _folder(self, group: str | None, kind: str) -> Construct:
        """Returns a construct for each kind, so that the name of an entry never collides with one of ours."""
        if (group, kind) not in self._folders:
            self._folders[group, kind] = Construct(self._groups[group], kind)
        return self._folders[group, kind]
