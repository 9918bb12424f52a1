"""`CentralizedMlApi`: a whole API as one construct, for this project's stack or any other CDK app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import NestedStack
from constructs import Construct

from centralized_ml_api.api.catalogue import Known
from centralized_ml_api.api.documents import build_documents
from centralized_ml_api.api.openapi import build_openapi
from centralized_ml_api.aws.constructs.alarms import Alarms
from centralized_ml_api.aws.constructs.api_role import ApiRole
from centralized_ml_api.aws.constructs.dashboard import build_dashboard
from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress, adopted_address
from centralized_ml_api.aws.constructs.event_budget import build_budget
from centralized_ml_api.aws.constructs.event_end import EventEnd
from centralized_ml_api.aws.constructs.execution_role import ExecutionRole
from centralized_ml_api.aws.constructs.hosted_model import HostedModel
from centralized_ml_api.aws.constructs.http_api import STAGE, HttpApi
from centralized_ml_api.aws.constructs.key_ends import KeyEnds
from centralized_ml_api.aws.constructs.key_function import KeyFunction
from centralized_ml_api.aws.constructs.model_function import ModelFunction
from centralized_ml_api.aws.constructs.stack_context import StackContext
from centralized_ml_api.aws.constructs.stored_documents import store_documents
from centralized_ml_api.aws.constructs.stream_function import StreamFunction
from centralized_ml_api.aws.constructs.team_keys import TeamKeys
from centralized_ml_api.aws.document import Addresses, extend_document
from centralized_ml_api.aws.document.keys import Authorizer
from centralized_ml_api.aws.document.stored import StoredDocument
from centralized_ml_api.plan.aws.types import AdoptedEndpoint, DirectRoute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.api.documents import ServedDocument
    from centralized_ml_api.api.samples import Sample
    from centralized_ml_api.plan.aws.types import AwsPlan, Endpoint


@dataclass(frozen=True, slots=True)
class EventKeys:
    """API Gateway's ids of the keys by the names of their teams, and the role that ends replaced ones."""

    ids: Mapping[str, str]
    ending_role: str


class CentralizedMlApi(Construct):
    """The API of a plan: models, functions, roles, and the REST API in front of them.

    Attributes:
        url: the address of the API, with a slash at its end.
        endpoints: the SageMaker endpoints of our own, by the names of the config.
        keys: the keys of the teams, None where everybody may call.
        dashboard: CloudWatch's name of the graphs, None where nobody watches.

    Args of the constructor:
        plan: what `centralized_ml_api.plan.aws.build.build_aws_plan` decided.
        samples: bodies that are files, for the catalogue: what `centralized_ml_api.api.samples` loaded.
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
        self._surroundings = StackContext(self)
        self._parents = self._build_parents()
        self._rooms: dict[tuple[str | None, str], Construct] = {}
        self.endpoints = self._build_models()
        self._functions = self._build_functions()
        self._stream_arn = self._build_stream()
        api = self._build_api()
        self.url = api.url
        self.keys = self._build_keys(api)
        self._build_event()
        self.dashboard = self._build_dashboard()

    def _build_parents(self) -> Mapping[str | None, Construct]:
        """The construct under which each group's resources stand: a nested stack, or this one."""
        parents: dict[str | None, Construct] = {None: self}
        for group in self._plan.groups:
            parents[group] = NestedStack(self, group)
        return parents

    def _build_models(self) -> Mapping[str, EndpointAddress]:
        arns = {
            role.id: ExecutionRole(self, f"{role.id}Role", plan=role, stack_context=self._surroundings).arn
            for role in self._plan.roles
        }
        models = {
            model.name: HostedModel(
                self._room(model.group, "Models"), model.name, plan=model, role_arn=arns[model.role]
            )
            for model in self._plan.models
        }
        return {name: EndpointAddress(one.endpoint_name, one.endpoint_arn) for name, one in models.items()}

    def _build_functions(self) -> Mapping[str, ModelFunction]:
        return {
            function.name: ModelFunction(
                self._room(function.group, "Functions"),
                function.name,
                plan=function,
                endpoint=self._address(function.endpoint),
                log_retention_days=self._plan.log_retention_days,
                stack_context=self._surroundings,
            )
            for function in self._plan.functions
        }

    def _build_stream(self) -> str:
        plan = self._plan.stream
        return StreamFunction(
            self,
            "Stream",
            plan=plan,
            endpoints={one.name: self._address(one.endpoint) for one in plan.models},
            log_retention_days=self._plan.log_retention_days,
            stack_context=self._surroundings,
            ends=self._plan.api.event.ends,
        ).arn

    def _build_api(self) -> HttpApi:
        called = {one.name: self._address(one.endpoint) for one in self._direct_routes()}
        functions = {name: one.arn for name, one in self._functions.items()}
        here = self._surroundings
        service = f"arn:{here.partition}:apigateway:{here.region}"
        stored = store_documents(self, self._build_documents(), here.synthesizer)
        role = ApiRole(
            self,
            "ApiRole",
            plan=self._plan,
            endpoint_arns={name: one.arn for name, one in called.items()},
            function_arns=functions,
            stream_arn=self._stream_arn,
            document_arns=[f"arn:{here.partition}:s3:::{one.bucket}/{one.key}" for _, one in stored],
        )
        addresses = Addresses(
            service=service,
            role=role.arn,
            endpoints={name: one.name for name, one in called.items()},
            functions=functions,
            stream=self._stream_arn,
            stored=tuple(StoredDocument(one, f"{place.bucket}/{place.key}") for one, place in stored),
            authorizer=self._build_authorizer(service),
        )
        return HttpApi(
            self,
            "Http",
            document=extend_document(
                build_openapi(self._plan.api, self._plan.openai),
                self._plan.routes,
                addresses,
                self._plan.openai,
                self._plan.api.event.ends,
            ),
            throttle=self._plan.throttle,
            log_retention_days=self._plan.log_retention_days,
            stack_context=here,
        )

    def _build_authorizer(self, service: str) -> Authorizer | None:
        if not self._plan.access.teams:
            return None
        function = KeyFunction(
            self,
            "KeyFunction",
            access=self._plan.access,
            log_retention_days=self._plan.log_retention_days,
            stack_context=self._surroundings,
        )
        uri = f"{service}:lambda:path/2015-03-31/functions/{function.arn}/invocations"
        return Authorizer(uri, function.caller)

    def _build_keys(self, api: HttpApi) -> EventKeys | None:
        teams = self._plan.access.teams
        if not teams:
            return None
        here = self._surroundings
        keys = TeamKeys(self, "Teams", teams=teams, api=api, stack_name=here.stack_name)
        return EventKeys(keys.ids, KeyEnds(self, "KeyEnds", stack_context=here).role)

    def _build_event(self) -> None:
        event = self._plan.api.event
        if event.ends:
            EventEnd(self, "End", ends=event.ends, stack_context=self._surroundings)
        if event.budget:
            build_budget(self, "Budget", event.budget, self._surroundings.stack_name)

    def _build_dashboard(self) -> str | None:
        plan = self._plan.dashboard
        if plan is None:
            return None
        if plan.email:
            Alarms(self, "Alarms", alarms=plan.alarms, email=plan.email, stack_context=self._surroundings)
        functions = {name: self._functions[name].arn for name in plan.functions}
        streaming = {"(streams)": self._stream_arn} if plan.streams else {}
        endpoints = {name: self.endpoints[name].name for name in plan.endpoints}
        return build_dashboard(
            self,
            "Dashboard",
            endpoints=endpoints,
            functions={**functions, **streaming},
            stack_context=self._surroundings,
        ).ref

    def _build_documents(self) -> Sequence[ServedDocument]:
        plan = self._plan
        known = Known(licences=plan.licences, tasks=plan.tasks, samples=self._samples)
        return build_documents(plan.api, plan.openai, known=known, root=f"/{STAGE}")

    def _direct_routes(self) -> list[DirectRoute]:
        return [route for route in self._plan.routes if isinstance(route, DirectRoute)]

    def _address(self, endpoint: Endpoint) -> EndpointAddress:
        if isinstance(endpoint, AdoptedEndpoint):
            return adopted_address(self._surroundings.stack, endpoint.endpoint_name)
        return self.endpoints[endpoint.name]

    def _room(self, group: str | None, kind: str) -> Construct:
        """A construct of its own for each kind, so that no entry's name meets one of ours."""
        if (group, kind) not in self._rooms:
            self._rooms[group, kind] = Construct(self._parents[group], kind)
        return self._rooms[group, kind]
