"""Decides what will exist on AWS. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.plan.apis import find_translated
from centralized_ml_api.plan.aws.entries import build_hosting, build_model_function
from centralized_ml_api.plan.aws.event import (
    build_access,
    build_dashboard,
    how_it_ends,
    how_it_starts,
    list_places,
    time_of_keys,
)
from centralized_ml_api.plan.aws.jobs import describe_jobs
from centralized_ml_api.plan.aws.nested_stacks import add_sizes, assign_groups, groups_in_use
from centralized_ml_api.plan.aws.providers import build_provider_target
from centralized_ml_api.plan.aws.roles import build_roles, divide_endpoints
from centralized_ml_api.plan.aws.spending import COUNTED, build_spending
from centralized_ml_api.plan.aws.streaming import build_stream
from centralized_ml_api.plan.aws.template_size import account_size, entry_sizes, event_size, fixed_size
from centralized_ml_api.plan.aws.types import (
    AdoptedEndpoint,
    AwsPlan,
    BedrockTarget,
    DirectRoute,
    FunctionRoute,
    OwnEndpoint,
    StreamModel,
    StreamRoute,
)
from centralized_ml_api.plan.event import how_often, who_may_call
from centralized_ml_api.plan.hours import word_hours
from centralized_ml_api.plan.speaks import OpenAiModels, model_speaks, openai_models
from centralized_ml_api.plan.types import (
    GATEWAY_TIMEOUT_SECONDS,
    BedrockModel,
    ExistingEndpoint,
    ProviderModel,
)
from centralized_ml_api.plan.vision import find_vision

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.config.schema import ServerSpeaks, Speaks
    from centralized_ml_api.plan.aws.event import DashboardPlan
    from centralized_ml_api.plan.aws.types import Endpoint, HostingPlan, ModelFunctionPlan, Route
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

_SOURCES = {
    "lock": "the lock file beside the config",
    "cache": "the cache of an earlier lookup",
    "live": "the live catalogue",
    "mirror": "the mirror that you configured",
    "snapshot": "the snapshot shipped with this version",
}
_PARTIAL = "it has no timeouts, network isolation or inference configurations, so SageMaker's defaults apply"


def build_aws_plan(plan: ApiPlan, facts: Mapping[str, ModelFacts], *, region: str) -> AwsPlan:
    """Builds everything that will exist on AWS, in config order.

    Args:
        plan: What the config asks for.
        facts: What JumpStart knows, by the name of the entry; one for each JumpStart model.
        region: Where it will exist.
    """
    own = [deployment for deployment in plan.deployments if _is_own(deployment)]
    models = tuple(build_hosting(deployment, facts.get(deployment.name)) for deployment in own)
    functions = tuple(_functions(plan.deployments, models))
    roles = () if plan.account.execution_role else build_roles(models)
    spending = build_spending(plan)
    counted, jobs = spending.is_counted, plan.account.jobs
    routes = tuple(_route(deployment, passes=counted or jobs) for deployment in plan.deployments)
    endpoint_policies, function_policies = _divide_policies(routes, models)
    spoken = {
        deployment.name: _speaks(deployment, facts.get(deployment.name)) for deployment in plan.deployments
    }
    tasks = {name: fact.task for name, fact in facts.items() if fact.task}
    openai = _under_v1(plan, spoken, tasks)
    stream = build_stream(
        _stream_models(plan.deployments, facts, openai, region, passes=counted or jobs),
        health_names=not plan.event.needs_key,
        spending=spending,
        jobs=jobs,
    )
    policies = len(endpoint_policies) + len(function_policies)
    dashboard = _dashboard(plan, models, functions, streams=stream.streams, counts=counted)
    fixed = fixed_size(routes, roles, policies, stream) + event_size(plan.event, len(routes))
    if dashboard:
        fixed += dashboard.size
    fixed += account_size(plan.account, len(models) + len(functions))
    sizes = entry_sizes(routes, models, functions, ends=bool(plan.event.ends), hours=len(plan.event.hours))
    groups = assign_groups(sizes, fixed)
    throttle = plan.event.throttle
    direct = tuple(route.name for route in routes if not isinstance(route, StreamRoute))
    access = build_access(plan.event, spoken, direct, jobs=jobs)
    return AwsPlan(
        api=plan,
        region=region,
        models=tuple(replace(model, group=groups[model.name]) for model in models),
        roles=roles,
        functions=tuple(replace(function, group=groups[function.name]) for function in functions),
        routes=routes,
        endpoint_policies=endpoint_policies,
        function_policies=function_policies,
        groups=groups_in_use(groups.values()),
        openai=openai,
        stream=stream,
        throttle=throttle,
        access=access,
        log_retention_days=plan.account.log_retention_days,
        notes=tuple(_notes(plan, openai, facts, routes, has_endpoints=bool(models))),
        dashboard=dashboard,
        licences={name: fact.eula.url for name, fact in facts.items() if fact.eula.url},
        tasks=tasks,
        sizes=add_sizes(sizes, fixed, groups),
    )


def _under_v1(
    plan: ApiPlan, spoken: Mapping[str, tuple[ServerSpeaks, ...]], tasks: Mapping[str, str]
) -> OpenAiModels:
    return openai_models(
        [(name, api) for name, apis in spoken.items() for api in apis],
        plan.event.aliases,
        _translated(plan.deployments, spoken),
        find_vision(plan.deployments, tasks),
    )


def _divide_policies(
    routes: Iterable[Route], models: Iterable[HostingPlan]
) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    """Returns what the API's policies name: the endpoints of direct routes, and the functions of entries."""
    sleeping = {model.name for model in models if model.copy}
    return (
        divide_endpoints(
            {route.name: route.name in sleeping for route in routes if isinstance(route, DirectRoute)}
        ),
        divide_endpoints({route.name: False for route in routes if isinstance(route, FunctionRoute)}),
    )


def _dashboard(
    plan: ApiPlan,
    models: Iterable[HostingPlan],
    functions: Iterable[ModelFunctionPlan],
    *,
    streams: bool,
    counts: bool,
) -> DashboardPlan | None:
    endpoints, called = [model.name for model in models], [function.name for function in functions]
    return build_dashboard(
        plan.event,
        endpoints,
        called,
        streams=streams,
        counts=counts,
        timeout_seconds=plan.account.integration_timeout_seconds or GATEWAY_TIMEOUT_SECONDS,
    )


def _is_own(deployment: ModelDeployment) -> bool:
    return not isinstance(deployment.origin, ExistingEndpoint | ProviderModel | BedrockModel)


def _endpoint(deployment: ModelDeployment) -> Endpoint:
    if _is_own(deployment):
        return OwnEndpoint(deployment.name)
    return AdoptedEndpoint(deployment.endpoint_name)


def _functions(
    deployments: Iterable[ModelDeployment], models: Iterable[HostingPlan]
) -> Iterable[ModelFunctionPlan]:
    containers = {model.name: model.container for model in models}
    for deployment in deployments:
        if deployment.function is not None:
            container = containers.get(deployment.name)
            yield build_model_function(deployment, deployment.function, _endpoint(deployment), container)


def _route(deployment: ModelDeployment, *, passes: bool) -> Route:
    """Returns where the entry's own path leads.

    With `passes`, to the function that streams: API Gateway itself can neither count what callers spend nor
    let them go before the answer is there.
    """
    if isinstance(deployment.origin, ProviderModel | BedrockModel):
        return StreamRoute(deployment.name, None, deployment.headers)
    match deployment.integration:
        case "api" if not passes:
            return DirectRoute(deployment.name, _endpoint(deployment), deployment.headers)
        case "lambda":
            return FunctionRoute(deployment.name)
        case _:
            return StreamRoute(deployment.name, _endpoint(deployment), deployment.headers)


def _speaks(deployment: ModelDeployment, facts: ModelFacts | None) -> tuple[ServerSpeaks, ...]:
    """Returns what its server speaks; the config overrides JumpStart."""
    if isinstance(deployment.origin, ProviderModel):
        return _with_translations(deployment.origin.serving.apis)
    if isinstance(deployment.origin, BedrockModel):
        return _with_translations(deployment.origin.apis)
    speaks = _speaks_to_sagemaker(deployment, facts)
    return (speaks,) if speaks else ()


def _with_translations(apis: tuple[ServerSpeaks, ...]) -> tuple[ServerSpeaks, ...]:
    return (*apis, *find_translated(apis))


def _translated(
    deployments: Iterable[ModelDeployment], spoken: Mapping[str, tuple[ServerSpeaks, ...]]
) -> Iterable[tuple[str, ServerSpeaks]]:
    """Yields the entries with the APIs that they have by translation."""
    for deployment in deployments:
        match deployment.origin:
            case ProviderModel(serving):
                native: tuple[ServerSpeaks, ...] = serving.apis
            case BedrockModel() as model:
                native = model.native_apis
            case _:
                continue
        yield from ((deployment.name, api) for api in spoken[deployment.name] if api not in native)


def _speaks_to_sagemaker(deployment: ModelDeployment, facts: ModelFacts | None) -> Speaks | None:
    return deployment.speaks or (model_speaks(facts) if facts else None)


def _stream_models(
    deployments: Iterable[ModelDeployment],
    facts: Mapping[str, ModelFacts],
    openai: OpenAiModels,
    region: str,
    *,
    passes: bool,
) -> Iterable[StreamModel]:
    """Yields all of them: those whose own path leads here have headers, those under `/v1` speak."""
    for deployment in deployments:
        headers = deployment.headers if passes or deployment.integration == "stream" else None
        found = StreamModel(
            deployment.name,
            None,
            None,
            headers,
            deployment.max_output_tokens,
            openai.aliases_of(deployment.name),
            fallback=deployment.fallback,
        )
        if isinstance(deployment.origin, ProviderModel):
            provider = build_provider_target(deployment.origin.serving)
            yield replace(found, provider=provider, headers=deployment.headers)
        elif isinstance(deployment.origin, BedrockModel):
            bedrock = BedrockTarget(deployment.origin, deployment.origin.region or region)
            yield replace(found, bedrock=bedrock, headers=deployment.headers)
        else:
            speaks = _speaks_to_sagemaker(deployment, facts.get(deployment.name))
            scaling = deployment.autoscaling
            sleeps = bool(scaling and scaling.sleeps)
            yield replace(found, endpoint=_endpoint(deployment), speaks=speaks, sleeps=sleeps)


def _notes(
    plan: ApiPlan,
    openai: OpenAiModels,
    facts: Mapping[str, ModelFacts],
    routes: Iterable[Route],
    *,
    has_endpoints: bool,
) -> Iterable[str]:
    """Yields what a reader of the plan needs to know, one sentence or two at a time."""
    yield f"{who_may_call(plan.event)} {how_often(plan.event.throttle)}"
    yield from time_of_keys(len(plan.event.teams) + len(list_places(plan.event)))
    yield from how_it_starts(plan.event, has_endpoints=has_endpoints)
    yield from filter(None, [word_hours(plan.event.hours)])
    yield from how_it_ends(plan.event, has_endpoints=has_endpoints)
    yield from plan.not_acted_on_aws
    if plan.event.limits_spending:
        yield COUNTED
    if plan.account.jobs:
        yield from describe_jobs(routes)
    yield from _idle_fallbacks(plan, openai)
    for alias, name in plan.event.aliases.items():
        if alias not in openai.aliases:
            yield f"The alias {alias} leads nowhere on AWS, since {name} is not under /v1 there."
    yield from _sources(facts)


def _idle_fallbacks(plan: ApiPlan, openai: OpenAiModels) -> Iterable[str]:
    """Yields what `fallback` cannot do: an entry is only asked for the APIs that both have."""
    for entry in plan.deployments:
        own = {*openai.paths_of(entry.name)}
        for other in entry.fallback:
            if not own & {*openai.paths_of(other)}:
                yield f"{other} is never asked for {entry.name}: they have no path under /v1 in common."


def _sources(facts: Mapping[str, ModelFacts]) -> Iterable[str]:
    """Yields one sentence for each source, naming the entries."""
    named: dict[tuple[str, str], list[str]] = {}
    for name, fact in facts.items():
        named.setdefault((fact.source, fact.fidelity), []).append(f"{name} ({fact.model_id} {fact.version})")
    for (source, fidelity), names in named.items():
        partial = f"; {_PARTIAL}" if fidelity == "partial" else ""
        yield f"JumpStart: {', '.join(names)} from {_SOURCES[source]}{partial}."
