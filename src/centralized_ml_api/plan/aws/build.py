"""Decides what will exist on AWS. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.plan.aws.dashboard import build_dashboard
from centralized_ml_api.plan.aws.event import build_access
from centralized_ml_api.plan.aws.functions import build_model_function
from centralized_ml_api.plan.aws.groups import assign_groups, groups_in_use
from centralized_ml_api.plan.aws.hosting import build_hosting
from centralized_ml_api.plan.aws.notes import build_notes
from centralized_ml_api.plan.aws.policies import ENDPOINT_ARN_CHARACTERS, divide
from centralized_ml_api.plan.aws.roles import build_roles
from centralized_ml_api.plan.aws.speaks import model_speaks
from centralized_ml_api.plan.aws.streaming import build_stream
from centralized_ml_api.plan.aws.template_size import entry_weights, event_weight, fixed_weight
from centralized_ml_api.plan.aws.types import (
    AdoptedEndpoint,
    AwsPlan,
    DirectRoute,
    FunctionRoute,
    OwnEndpoint,
    StreamModel,
    StreamRoute,
)
from centralized_ml_api.plan.speaks import openai_models
from centralized_ml_api.plan.types import ExistingEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.config.schema import Speaks
    from centralized_ml_api.plan.aws.dashboard import DashboardPlan
    from centralized_ml_api.plan.aws.types import Endpoint, HostingPlan, ModelFunctionPlan, Route
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

LOG_RETENTION_DAYS = 30
"""Long enough to look into an event afterwards, short enough to cost nothing much."""


def build_aws_plan(plan: ApiPlan, facts: Mapping[str, ModelFacts], *, region: str) -> AwsPlan:
    """Everything that will exist on AWS, in config order.

    Args:
        plan: what the config asks for.
        facts: what JumpStart knows, by the name of the entry; one for each JumpStart model.
        region: where it will exist.
    """
    models = tuple(build_hosting(one, facts.get(one.name)) for one in plan.deployments if _is_own(one))
    functions = tuple(_functions(plan.deployments, models))
    roles = build_roles(models)
    routes = tuple(_route(one) for one in plan.deployments)
    endpoint_policies = _policies(route for route in routes if isinstance(route, DirectRoute))
    function_policies = _policies(route for route in routes if isinstance(route, FunctionRoute))
    spoken = {one.name: _speaks(one, facts.get(one.name)) for one in plan.deployments}
    stream = build_stream(_stream_models(plan.deployments, spoken))
    policies = len(endpoint_policies) + len(function_policies)
    dashboard = _dashboard(plan, models, functions, streams=stream.streams)
    fixed = fixed_weight(routes, roles, policies, stream) + event_weight(plan.event, len(routes))
    if dashboard:
        fixed += dashboard.weight
    groups = assign_groups(entry_weights(routes, models, functions), fixed)
    throttle = plan.event.throttle
    access = build_access(plan.event, spoken)
    return AwsPlan(
        api=plan,
        region=region,
        models=tuple(replace(one, group=groups[one.name]) for one in models),
        roles=roles,
        functions=tuple(replace(one, group=groups[one.name]) for one in functions),
        routes=routes,
        endpoint_policies=endpoint_policies,
        function_policies=function_policies,
        groups=groups_in_use(groups.values()),
        openai=openai_models(spoken.items()),
        stream=stream,
        throttle=throttle,
        access=access,
        log_retention_days=LOG_RETENTION_DAYS,
        notes=build_notes(plan, facts, throttle),
        dashboard=dashboard,
        licences={name: one.eula.url for name, one in facts.items() if one.eula.url},
        tasks={name: one.task for name, one in facts.items() if one.task},
    )


def _dashboard(
    plan: ApiPlan,
    models: Iterable[HostingPlan],
    functions: Iterable[ModelFunctionPlan],
    *,
    streams: bool,
) -> DashboardPlan | None:
    endpoints, called = [one.name for one in models], [one.name for one in functions]
    return build_dashboard(plan.event, endpoints, called, streams=streams)


def _is_own(deployment: ModelDeployment) -> bool:
    return not isinstance(deployment.origin, ExistingEndpoint)


def _endpoint(deployment: ModelDeployment) -> Endpoint:
    if _is_own(deployment):
        return OwnEndpoint(deployment.name)
    return AdoptedEndpoint(deployment.endpoint_name)


def _functions(
    deployments: Iterable[ModelDeployment], models: Iterable[HostingPlan]
) -> Iterable[ModelFunctionPlan]:
    containers = {model.name: model.container for model in models}
    for one in deployments:
        if one.function is not None:
            container = containers.get(one.name)
            yield build_model_function(one.name, one.function, _endpoint(one), container, one.speaks)


def _route(deployment: ModelDeployment) -> Route:
    match deployment.integration:
        case "api":
            return DirectRoute(deployment.name, _endpoint(deployment), deployment.headers)
        case "lambda":
            return FunctionRoute(deployment.name)
        case _:
            return StreamRoute(deployment.name, _endpoint(deployment), deployment.headers)


def _speaks(deployment: ModelDeployment, facts: ModelFacts | None) -> Speaks | None:
    """The config knows better than JumpStart."""
    return deployment.speaks or (model_speaks(facts) if facts else None)


def _stream_models(
    deployments: Iterable[ModelDeployment], spoken: Mapping[str, Speaks | None]
) -> Iterable[StreamModel]:
    """All of them: those that stream by their own path have headers, those under `/v1` speak."""
    for one in deployments:
        headers = one.headers if one.integration == "stream" else None
        yield StreamModel(one.name, _endpoint(one), spoken[one.name], headers)


def _policies(routes: Iterable[DirectRoute | FunctionRoute]) -> tuple[tuple[str, ...], ...]:
    return divide((route.name for route in routes), lambda _name: ENDPOINT_ARN_CHARACTERS)
