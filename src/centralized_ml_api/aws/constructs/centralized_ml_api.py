"""`CentralizedMlApi`: a whole API as one construct, for this project's stack or any other CDK app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aws_cdk import NestedStack
from constructs import Construct

from centralized_ml_api.api.documents import build_documents
from centralized_ml_api.api.entry_details import Known
from centralized_ml_api.api.openapi import build_openapi
from centralized_ml_api.aws.constructs.assets import store_documents
from centralized_ml_api.aws.constructs.company_account import apply_account, build_network_policies
from centralized_ml_api.aws.constructs.endpoint_address import EndpointAddress, adopted_address
from centralized_ml_api.aws.constructs.event import EndpointEnds, EventEnd, build_budget
from centralized_ml_api.aws.constructs.hosted_model import HostedModel
from centralized_ml_api.aws.constructs.http_api import STAGE, HttpApi
from centralized_ml_api.aws.constructs.joining import JoinFunction, PlaceKeys
from centralized_ml_api.aws.constructs.lambda_function import ModelFunction
from centralized_ml_api.aws.constructs.mail import build_topic, build_topic_policy
from centralized_ml_api.aws.constructs.monitoring import Alarms, build_dashboard
from centralized_ml_api.aws.constructs.provider_secrets import ProviderSecrets
from centralized_ml_api.aws.constructs.roles import ApiRole, ExecutionRole
from centralized_ml_api.aws.constructs.stack_context import StackContext
from centralized_ml_api.aws.constructs.stream_function import StreamFunction
from centralized_ml_api.aws.constructs.team_keys import KeyEnds, KeyFunction, TeamKeys
from centralized_ml_api.aws.document.callers import restrict_callers
from centralized_ml_api.aws.document.event import Authorizer
from centralized_ml_api.aws.document.extend import Addresses, extend_document
from centralized_ml_api.aws.document.other_paths import describe_other_paths, list_calls
from centralized_ml_api.aws.document.own_paths import StoredDocument
from centralized_ml_api.aws.stack.contract import stack_start
from centralized_ml_api.plan.aws.jobs import list_answered_later
from centralized_ml_api.plan.aws.types import AdoptedEndpoint, DirectRoute
from centralized_ml_api.plan.types import GATEWAY_TIMEOUT_SECONDS
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from aws_cdk import CfnResource, Reference

    from centralized_ml_api.api.entry_details import Sample
    from centralized_ml_api.plan.aws.types import AwsPlan, Endpoint


@record
class EventKeys:
    """API Gateway's ids of the keys by team, and the ARN of the role that ends replaced keys."""

    ids: Mapping[str, str]
    ending_role: str


class CentralizedMlApi(Construct):
    """The API of a plan: models, functions, roles, and the REST API in front of them.

    Attributes:
        url: The address of the API, with a slash at its end.
        domain_target: What the name of your own must be a CNAME of, None without one.
        endpoints: The SageMaker endpoints of our own, by the names of the config.
        keys: The keys of the teams, None where nobody needs one.
        join_table: The name of the table of who has joined, None where nobody can.
        provider_secrets: The ARNs of the secrets for providers' keys, by their ids in the plan.
        dashboard: CloudWatch's name of the dashboard, None where the config asks for none.

    Args of the constructor:
        plan: what `centralized_ml_api.plan.aws.build.build_aws_plan` decided.
        samples: bodies that are files, for the catalogue: what `centralized_ml_api.api.entry_details` loaded.
        logo: the event's, loaded likewise.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: AwsPlan,
        samples: Mapping[str, Sample] | None = None,
        logo: Sample | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._plan = plan
        known = _describe_entries(plan, samples or {}, logo)
        self._documents = build_documents(plan.api, plan.openai, known=known, root=f"/{STAGE}")
        self._stack_context = StackContext(
            self,
            log_retention_days=plan.log_retention_days,
            network_policies=build_network_policies(self, plan.api.account.vpc),
        )
        # Each group of the plan is a nested stack; None stands for this one.
        self._groups: dict[str | None, Construct] = {None: self}
        self._groups.update({group: NestedStack(self, group) for group in plan.groups})
        self._folders: dict[tuple[str | None, str], Construct] = {}
        self._mail = Construct(self, "Mail")
        self._topic = self._build_topic()
        self._end = self._build_end()
        self._endpoint_ends: list[CfnResource] = []
        self.endpoints = self._build_models()
        self._functions = self._build_functions()
        secrets = ProviderSecrets(
            self, "Secrets", secrets=plan.stream.secrets, stack_context=self._stack_context
        )
        self.provider_secrets = secrets.own
        self._places, self._joining = self._build_joining()
        self.join_table = self._joining.table.ref if self._joining else None
        self._keeper = self._build_keeper()
        self._stream_arn = self._build_stream(secrets)
        api = self._build_api()
        self.url = api.url
        self.domain_target = api.domain_target
        self.keys = self._build_keys(api)
        self._build_budget()
        self.dashboard = self._build_dashboard()
        self._depend_on_end()
        apply_account(self, plan.api.account, [config for config in self._component_configs if config])

    def _build_stream(self, secrets: ProviderSecrets) -> str:
        stream = self._plan.stream
        return StreamFunction(
            self,
            "Stream",
            plan=stream,
            endpoints={
                model.name: self._address(model.endpoint) for model in stream.models if model.endpoint
            },
            secrets=secrets,
            other_paths=describe_other_paths(self._plan.openai, self._list_calls()),
            ends=self._plan.api.event.ends,
            join_table=self._joining.table if self._joining and stream.spending.is_counted else None,
            keeper=self._keeper.address if self._keeper else None,
            stack_context=self._stack_context,
        ).arn

    def _build_models(self) -> Mapping[str, EndpointAddress]:
        existing = self._plan.api.account.execution_role
        arns: dict[str, str | Reference] = {
            role.id: ExecutionRole(self, f"{role.id}Role", plan=role, stack_context=self._stack_context).arn
            for role in self._plan.roles
        }
        ends = self._build_endpoint_ends()
        models = {
            model.name: HostedModel(
                self._folder(model.group, "Models"),
                model.name,
                plan=model,
                role_arn=existing or arns[model.role],
                stack_context=self._stack_context,
                ends=ends,
            )
            for model in self._plan.models
        }
        for plan in self._plan.models:
            if plan.group is None:
                self._endpoint_ends += models[plan.name].ends
        self._component_configs = [model.component_config for model in models.values()]
        return {name: model.address for name, model in models.items()}

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
        stored = store_documents(self._documents, here)
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
            components={name: address.component for name, address in called.items() if address.component},
            functions=self._functions,
            stream=self._stream_arn,
            stored=tuple(
                StoredDocument(document, f"{place.bucket}/{place.key}") for document, place in stored
            ),
            authorizer=self._build_authorizer(service),
            timeout_seconds=plan.api.account.integration_timeout_seconds or GATEWAY_TIMEOUT_SECONDS,
            tells_usage=plan.stream.spending.is_counted,
            has_jobs=plan.stream.jobs,
            joining=(self._joining.arn, self._joining.caller) if self._joining else None,
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
            # An API that will not go keeps the schedules, which delete its endpoints all the same.
            after=[*role.policies, *self._endpoint_ends],
            joins=self._joining is not None,
        )

    def _list_calls(self) -> list[str]:
        plan = self._plan
        names = (route.name for route in plan.routes)
        paths = (document.path for document in self._documents)
        counted = plan.stream.spending.is_counted
        return list_calls(names, plan.openai, paths, tells_usage=counted, has_jobs=plan.stream.jobs)

    def _build_keeper(self) -> KeyFunction | None:
        access = self._plan.access
        if not access.needs_key:
            return None
        return KeyFunction(self, "KeyFunction", access=access, stack_context=self._stack_context)

    def _build_authorizer(self, service: str) -> Authorizer | None:
        if self._keeper is None:
            return None
        arn = self._keeper.address.arn.to_string()
        uri = f"{service}:lambda:path/2015-03-31/functions/{arn}/invocations"
        return Authorizer(uri, self._keeper.caller, says_why=self._plan.access.says_why)

    def _build_joining(self) -> tuple[PlaceKeys | None, JoinFunction | None]:
        access, here = self._plan.access, self._stack_context
        if not access.places:
            return None, None
        places = PlaceKeys(self, "Places", places=access.places, stack_name=here.stack_name)
        ends = self._plan.api.event.ends
        function = JoinFunction(
            self, "Join", access=access, key_ids=places.ids, ends=ends, stack_context=here
        )
        return places, function

    def _build_keys(self, api: HttpApi) -> EventKeys | None:
        access = self._plan.access
        if not access.needs_key:
            return None
        stack_name = self._stack_context.stack_name
        keys = TeamKeys(self, "Teams", teams=access.teams, api=api, stack_name=stack_name)
        if self._places:
            self._places.join(api, after=keys.last)
        return EventKeys(keys.ids, KeyEnds(self, "KeyEnds", stack_context=self._stack_context).role)

    def _build_budget(self) -> None:
        event = self._plan.api.event
        if event.budget:
            build_budget(self, "Budget", event.budget, self._stack_context.stack_name)

    def _build_topic(self) -> CfnResource | None:
        """Builds the topic by which the organizer is told of alarms, and of an end that fails."""
        email = self._plan.dashboard.email if self._plan.dashboard else None
        return build_topic(self._mail, "Topic", email) if email else None

    def _build_end(self) -> EventEnd | None:
        ends, here = self._plan.api.event.ends, self._stack_context
        end = None
        if ends:
            start = stack_start(ends, has_endpoints=bool(self._plan.models))
            end = EventEnd(self, "End", start=start, topic=self._topic, stack_context=here)
        if self._topic:
            rule = end.rule if end else None
            policy = build_topic_policy(
                self._mail, "Policy", topic=self._topic, account=here.account, rule=rule
            )
            if end:
                end.schedule.add_resource_dependency(policy)
        return end

    def _build_endpoint_ends(self) -> EndpointEnds | None:
        ends, models = self._plan.api.event.ends, self._plan.models
        if not (ends and models):
            return None
        scaled = any(model.autoscaling for model in models)
        here = self._stack_context
        components = any(model.copy for model in models)
        return EndpointEnds(
            self, "EndpointEnds", start=ends, scaled=scaled, components=components, stack_context=here
        )

    def _depend_on_end(self) -> None:
        """Lets CloudFormation delete the end last, with what tells of a failure."""
        if self._end:
            for child in self.node.children:
                if child not in {self._end, self._mail}:
                    child.node.add_dependency(self._end.schedule)

    def _build_dashboard(self) -> str | None:
        plan = self._plan.dashboard
        if plan is None:
            return None
        if self._topic:
            Alarms(self, "Alarms", alarms=plan.alarms, topic=self._topic, stack_context=self._stack_context)
        functions = {name: self._functions[name] for name in plan.functions}
        streaming = {"(streams)": self._stream_arn} if plan.streams else {}
        return build_dashboard(
            self,
            "Dashboard",
            endpoints={name: self.endpoints[name].name for name in plan.endpoints},
            functions={**functions, **streaming},
            spending=self._stream_arn if plan.counts else None,
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


def _describe_entries(plan: AwsPlan, samples: Mapping[str, Sample], logo: Sample | None) -> Known:
    """Returns what the documents say of the entries beyond the plan."""
    return Known(
        licences=plan.licences,
        tasks=plan.tasks,
        samples=samples,
        logo=logo,
        answered_later=list_answered_later(plan.routes) if plan.stream.jobs else None,
    )
