"""Decides what must run for a plan: one spec for each model and function, or why an entry is not served.

Reads nothing but the names, sizes and times of the files of functions and Python models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from centralized_ml_api.config.schema import FunctionSpeaks
from centralized_ml_api.config.wording import listed
from centralized_ml_api.extras import build_fix
from centralized_ml_api.local.lambda_host import why_not_here
from centralized_ml_api.local.machine.fingerprint import folder_fingerprint
from centralized_ml_api.local.run.translator_process import can_translate
from centralized_ml_api.local.servers.not_served import why_not_served
from centralized_ml_api.local.servers.parts import ModelSpec
from centralized_ml_api.plan.apis import MODEL_APIS
from centralized_ml_api.plan.speaks import list_translated
from centralized_ml_api.plan.types import FunctionPlan, LocalPlan
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

_KNOWN_TO_FUNCTIONS = frozenset(get_args(FunctionSpeaks))
"""What the variable MODEL_SPEAKS of a function may say, on both targets."""


@record
class FunctionSpec:
    """A function to host. `fingerprint` changes when a file in its folder does."""

    name: str
    entry: str
    function: FunctionPlan
    endpoint_name: str
    model_speaks: str
    fingerprint: str


ServiceSpec = ModelSpec | FunctionSpec


@record
class DesiredState:
    """What must run for a plan.

    `specs` are by service name; `refused` tells by entry name why an entry is not served here; `notes` are
    sentences about what this machine does not do; `translates` says whether the translator can run.
    """

    specs: dict[str, ServiceSpec]
    refused: dict[str, str]
    notes: tuple[str, ...]
    translates: bool = False


def build_desired_state(plan: ApiPlan, *, can_translate: Callable[[], bool] = can_translate) -> DesiredState:
    """Builds what must run, in config order.

    May ask web servers for the size of weights, for a few seconds at most.

    Args:
        plan: What is served.
        can_translate: Returns whether the translator can run here.
    """
    specs: dict[str, ServiceSpec] = {}
    refused: dict[str, str] = {}
    translates = can_translate()
    for deployment in plan.deployments:
        reason = _why_refused(deployment, plan, translates=translates)
        if reason:
            refused[deployment.name] = reason
        else:
            specs.update({spec.name: spec for spec in _specs(deployment, plan)})
    notes = [
        f"{entry.name}: layers are not fetched on this machine; put what the function imports into its folder"
        for entry in plan.deployments
        if entry.function is not None and entry.function.layers
    ]
    untranslated = [] if translates else _explain_untranslated(plan)
    return DesiredState(specs, refused, (*notes, *untranslated), translates)


def _explain_untranslated(plan: ApiPlan) -> list[str]:
    """Returns what is missing without the translator: a sentence for each set of paths or `fallback`."""
    by_paths: dict[tuple[str, ...], list[str]] = {}
    for entry in plan.deployments:
        if _needs_translator(entry):
            continue  # which its 501 says
        paths = tuple(api.paths[0] for api in MODEL_APIS if api.name in list_translated(entry))
        by_paths.setdefault(paths, []).append(entry.name)
    return [
        f"{', '.join(names)}: {listed(paths, 'and')} would be translated, which needs Node.js: "
        f"{build_fix('translator')}"
        for paths, names in by_paths.items()
        if paths
    ] + [
        f"{entry.name}: no other entry is asked where it fails: that needs Node.js: {build_fix('translator')}"
        for entry in plan.deployments
        if entry.fallback
    ]


def services_of(deployment: ModelDeployment) -> tuple[str, ...]:
    """Returns the names of the services that must be ready for the entry; the first takes its calls."""
    return (deployment.name,) if deployment.function is None else service_names(deployment.name)


def service_names(entry: str) -> tuple[str, str]:
    """Returns the names of the services that an entry may have: of its function, and of its model."""
    return (_function_service(entry), entry)


def code_folders(plan: ApiPlan) -> tuple[Path, ...]:
    """Returns the folders of the code that the plan's functions and Python models run."""
    functions = [entry.function.code for entry in plan.deployments if entry.function]
    models = [entry.local.serving.code_folder for entry in plan.deployments if entry.local]
    return (*functions, *filter(None, models))


def _function_service(name: str) -> str:
    return f"{name}.function"


def _why_refused(deployment: ModelDeployment, plan: ApiPlan, *, translates: bool) -> str | None:
    unserved = why_not_served(deployment, plan.folders, plan.config)
    if not unserved and not translates and _needs_translator(deployment):
        what = "its calls are translated, which needs Node.js"
        return f"{deployment.name} is not served on this machine: {what}: {build_fix('translator')}"
    if unserved or deployment.function is None:
        return unserved
    return why_not_here(deployment.function)


def _needs_translator(deployment: ModelDeployment) -> bool:
    return deployment.local is not None and deployment.local.serving.needs_translator


def _specs(deployment: ModelDeployment, plan: ApiPlan) -> list[ServiceSpec]:
    if deployment.local is None:
        return []
    specs: list[ServiceSpec] = [_model_spec(deployment, deployment.local, plan.folders)]
    if deployment.function is not None:
        specs.append(_function_spec(deployment, deployment.function, deployment.local))
    return specs


def _model_spec(deployment: ModelDeployment, local: LocalPlan, folders: tuple[Path, ...]) -> ModelSpec:
    code = local.serving.code_folder
    return ModelSpec(
        deployment.name,
        local,
        folders,
        folder_fingerprint(code) if code else "",
        deployment.max_output_tokens if local.serving.limits_output else None,
    )


def _function_spec(deployment: ModelDeployment, function: FunctionPlan, local: LocalPlan) -> FunctionSpec:
    return FunctionSpec(
        name=_function_service(deployment.name),
        entry=deployment.name,
        function=function,
        endpoint_name=deployment.endpoint_name,
        model_speaks=next(filter(_KNOWN_TO_FUNCTIONS.__contains__, local.speaks or local.serving.speaks), ""),
        fingerprint=folder_fingerprint(function.code),
    )
