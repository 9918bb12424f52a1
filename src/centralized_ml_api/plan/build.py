"""Decides, purely from a loaded config, what will exist."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from centralized_ml_api.config.durations import parse_duration
from centralized_ml_api.config.schema import EndpointEntry, ModelEntry, ScopedPermissions, SleepingServer
from centralized_ml_api.config.token_prices import build_token_price
from centralized_ml_api.plan.account import build_account
from centralized_ml_api.plan.apis import API_NAMES
from centralized_ml_api.plan.bedrock import build_bedrock_model, find_bedrock
from centralized_ml_api.plan.engines import build_serving
from centralized_ml_api.plan.event import build_event
from centralized_ml_api.plan.provider import build_provider_serving, find_provider
from centralized_ml_api.plan.speaks import list_spoken, list_translated
from centralized_ml_api.plan.types import (
    BODY_LIMIT_BYTES,
    About,
    ApiPlan,
    AutoscalingPlan,
    BedrockModel,
    ContainerModel,
    CopyResources,
    ExistingEndpoint,
    FunctionPlan,
    HostingSettings,
    JumpStartModel,
    LocalModel,
    LocalPlan,
    ModelDeployment,
    Origin,
    PackageModel,
    ProviderModel,
    SleepPlan,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.config.schema import Autoscaling, Aws, FunctionProperties, Local, TokenPrices
    from centralized_ml_api.config.token_prices import TokenPrice
    from centralized_ml_api.plan.event import EventPlan


def build_plan(loaded: LoadedConfig) -> ApiPlan:
    """Builds the whole API in config order, models before endpoints. Pure: reads no file, uses no network."""
    deployments = tuple(_deployment(entry, loaded.code_folders) for entry in loaded.config.entries)
    event = build_event(loaded.config.event)
    return ApiPlan(
        deployments=deployments,
        folders=(loaded.root, loaded.path.parent),
        not_acted_on=(
            *_not_acted_on(event, deployments, loaded.config.aws),
            *_idle_fallbacks(deployments),
            *_aliases_without_path(event, deployments),
        ),
        not_acted_on_aws=tuple(_not_acted_on_aws(event, deployments)),
        event=event,
        config=loaded.path,
        account=build_account(loaded.config.aws),
    )


def _deployment(entry: ModelEntry | EndpointEntry, code_folders: Mapping[str, Path]) -> ModelDeployment:
    model = entry if isinstance(entry, ModelEntry) else None
    properties = entry.integration.properties
    return ModelDeployment(
        name=entry.name,
        endpoint_name=_endpoint_name(entry),
        origin=_origin(entry),
        instances=_instances(model),
        autoscaling=_autoscaling(model.autoscaling if model else None),
        environment=dict(model.environment) if model else {},
        integration=entry.integration.type,
        headers=tuple(entry.integration.headers),
        function=_function(properties, code_folders[properties.code]) if properties else None,
        description=entry.description or "",
        sample=entry.sample,
        local=_local(entry, code_folders),
        speaks=entry.speaks,
        about=About(entry.made_by, entry.licence, entry.takes, entry.gives),
        max_output_tokens=entry.max_output_tokens,
        hosting=_hosting(model) if model else HostingSettings(),
        fallback=tuple(entry.fallback or ()),
        price=_price(entry.price) if entry.price else None,
        max_body_mib=entry.max_body_mib,
        sleep=_sleep(entry.local),
    )


def _price(written: TokenPrices) -> TokenPrice:
    read, cached, output = (
        None if usd is None else Decimal(str(usd))
        for usd in (written.input_per_million, written.cached_input_per_million, written.output_per_million)
    )
    return build_token_price(read or Decimal(0), cached, output or Decimal(0), "the config")


def _endpoint_name(entry: ModelEntry | EndpointEntry) -> str:
    written = entry.endpoint_name if isinstance(entry, EndpointEntry) else None
    return written or entry.name


def _origin(entry: ModelEntry | EndpointEntry) -> Origin:
    if not isinstance(entry, ModelEntry):
        return _existing(entry)
    if entry.model_id is not None:
        return JumpStartModel(
            entry.model_id, entry.model_version, entry.inference_config, accept_eula=entry.accept_eula
        )
    if entry.model_package_arn is not None:
        return PackageModel(entry.model_package_arn)
    if entry.image is not None:
        return ContainerModel(entry.image, entry.model_data)
    return LocalModel()


def _existing(entry: EndpointEntry) -> Origin:
    if bedrock := build_bedrock_model(entry):
        return bedrock
    if entry.provider is None:
        return ExistingEndpoint()
    return ProviderModel(build_provider_serving(entry.provider))


def _instances(model: ModelEntry | None) -> tuple[str, ...]:
    if model is None:
        return ()
    return tuple(model.instances or ([model.instance] if model.instance else []))


def _hosting(model: ModelEntry) -> HostingSettings:
    return HostingSettings(
        model.inference_ami, model.startup_timeout, model.download_timeout, model.volume_gib
    )


def _autoscaling(written: Autoscaling | None) -> AutoscalingPlan | None:
    if written is None:
        return None
    said = written.resources
    resources = CopyResources(said.memory_mb, said.accelerators, said.cpu_cores) if said else None
    return AutoscalingPlan(
        written.min_capacity, written.max_capacity, written.invocations_per_instance, resources
    )


def _function(properties: FunctionProperties, code: Path) -> FunctionPlan:
    permissions = properties.permissions
    scoped = permissions if isinstance(permissions, ScopedPermissions) else None
    actions = permissions.actions if isinstance(permissions, ScopedPermissions) else permissions
    return FunctionPlan(
        code=code,
        handler=properties.handler,
        runtime=properties.runtime,
        timeout_seconds=properties.timeout,
        memory_mib=properties.memory,
        environment=dict(properties.environment),
        layers=tuple(properties.layers),
        actions=tuple(actions),
        resources=tuple(scoped.resources) if scoped else None,
    )


def _local(entry: ModelEntry | EndpointEntry, code_folders: Mapping[str, Path]) -> LocalPlan | None:
    """Returns how one machine serves the entry: as `local` says, or else by its provider or by Bedrock."""
    if entry.local is not None:
        return _local_block(entry.local, code_folders)
    hosted = find_provider(entry) or find_bedrock(entry)
    return LocalPlan(hosted, replicas=1, environment={}) if hosted else None


def _local_block(written: Local, code_folders: Mapping[str, Path]) -> LocalPlan:
    serving = build_serving(written, code_folders)
    said = written.speaks
    speaks = tuple(said) if isinstance(said, list) else (said,) if said else ()
    return LocalPlan(serving, written.replicas, dict(written.environment), speaks)


def _sleep(written: Local | None) -> SleepPlan | None:
    """Returns when the servers of an entry run, unless they run all the time."""
    if not isinstance(written, SleepingServer):
        return None
    idle = parse_duration(written.idle) if written.idle else None
    plan = SleepPlan(idle, on_call=written.starts == "on-call", shares=written.shares or "")
    return None if plan == SleepPlan() else plan


def _not_acted_on(
    event: EventPlan, deployments: Iterable[ModelDeployment], account: Aws | None
) -> Iterator[str]:
    """Yields what is read but not acted on on one machine, so that nobody relies on it."""
    if account is not None:
        yield "aws: only a deploy to AWS acts on it"
        if account.allow_from:
            yield "aws.allow_from: every address that reaches this machine may call"
    if event.budget is not None:
        yield "event.budget: no alarm is set"
    for entry in deployments:
        if entry.max_output_tokens and entry.local and not entry.local.serving.limits_output:
            engine = entry.local.serving.engine
            yield f"max_output_tokens of {entry.name}: the engine {engine} gets each request as it is"


def _idle_fallbacks(deployments: Iterable[ModelDeployment]) -> Iterator[str]:
    """Yields what `fallback` cannot do on one machine: an entry is only asked for the APIs that both have."""
    apis = {
        entry.name: {*list_spoken(entry), *list_translated(entry)} & {*API_NAMES} for entry in deployments
    }
    for entry in deployments:
        for other in entry.fallback:
            if not apis[entry.name] & apis[other]:
                shared = "they have no path under /v1 in common here"
                yield f"fallback of {entry.name}: {other} is never asked, since {shared}"


def _aliases_without_path(event: EventPlan, deployments: Iterable[ModelDeployment]) -> Iterator[str]:
    """Yields the aliases of entries that one machine has at their own paths alone."""
    named = {
        entry.name for entry in deployments if {*list_spoken(entry), *list_translated(entry)} & {*API_NAMES}
    }
    for alias, name in event.aliases.items():
        if name not in named:
            yield f"event.aliases: {alias} leads nowhere, since {name} is not under /v1 here"


def _not_acted_on_aws(event: EventPlan, deployments: Iterable[ModelDeployment]) -> Iterator[str]:
    """Yields, in sentences, what AWS does not do."""
    if event.limits_at_once:
        yield "Not enforced on AWS: requests_at_once. API Gateway cannot limit the calls in progress."
    if any(entry.price is not None for entry in deployments) and not event.limits_spending:
        yield "Not counted on AWS: tokens, and what they cost by `price`, unless a team's are limited."
    for entry in deployments:
        if (entry.max_body_mib or 0) * 1024 * 1024 > BODY_LIMIT_BYTES:
            limit = f"max_body_mib of {entry.name}"
            yield f"Not possible on AWS: {limit}. Lambda takes 6 MB; a larger body is a 413."
        if isinstance(entry.origin, ProviderModel):
            if entry.origin.serving.name is None:
                host = entry.origin.serving.title
                yield f"AWS calls {entry.name} at {host}, which it must be able to reach."
        elif entry.max_output_tokens and not isinstance(entry.origin, BedrockModel):
            limit = f"max_output_tokens of {entry.name}"
            yield f"On AWS, {limit} applies under /v1 only: a request to {entry.path} is passed on as it is."
