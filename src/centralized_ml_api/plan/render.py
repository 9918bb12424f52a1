"""A plan as text and as JSON: what would exist on a target. Pure."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.config.durations import render_duration
from centralized_ml_api.plan.columns import render_columns
from centralized_ml_api.plan.cost_report import render_hourly, render_prices_day, render_total
from centralized_ml_api.plan.event import how_often, who_may_call
from centralized_ml_api.plan.hours import word_hours
from centralized_ml_api.plan.types import (
    BedrockModel,
    ContainerModel,
    JumpStartModel,
    LocalModel,
    PackageModel,
    ProviderModel,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.plan.cost import Cost
    from centralized_ml_api.plan.types import ApiPlan, AutoscalingPlan, ModelDeployment, SleepPlan

Target = Literal["local", "aws"]


def render_plan(plan: ApiPlan, target: Target, cost: Cost | None = None) -> str:
    """Renders a table, one line per entry, then what it costs, who may call and what is not acted on.

    Args:
        plan: The plan.
        target: Where it would exist.
        cost: What it costs, where that is wanted.
    """
    header = ("PATH", "MODEL", "SERVED BY" if target == "local" else "INSTANCES", "INTEGRATION", "HEADERS")
    rows = [header, *(_row(entry, target) for entry in plan.deployments)]
    if cost:
        prices = ("USD AN HOUR", *(render_hourly(entry) for entry in cost.entries))
        rows = [(*row, price) for row, price in zip(rows, prices, strict=True)]
    return "\n".join([*render_columns(rows), "", *_cost_notes(cost), *plan_notes(plan, target)])


def _cost_notes(cost: Cost | None) -> list[str]:
    return [f"Instances cost {render_total(cost)} an hour ({render_prices_day(cost)})."] if cost else []


_NO_KEY = "No key is needed; without `--host`, only programs on this machine can call."
"""Who may call on one machine where no team has a key."""


def plan_notes(plan: ApiPlan, target: Target) -> list[str]:
    """Returns, in sentences, what a reader of the plan must know besides the entries."""
    if target == "aws":
        return [who_may_call(plan.event), *_times(plan), *plan.not_acted_on_aws]
    who = who_may_call(plan.event) if plan.event.needs_key else _NO_KEY
    who = f"{who} {how_often(plan.event.throttle)}"
    return [who, *_times(plan), *(f"Not acted on here: {note}." for note in plan.not_acted_on)]


def _times(plan: ApiPlan) -> list[str]:
    hours, ends = word_hours(plan.event.hours), plan.event.ends
    notes = [hours] if hours else []
    return [*notes, f"Ends automatically at {ends:%Y-%m-%dT%H:%M:%SZ}."] if ends else notes


def plan_json(plan: ApiPlan, target: Target) -> dict[str, Any]:
    """Returns the plan as plain values, for scripts: `entries` with every decided field, and `notes`."""
    entries = [_plain({**asdict(entry), "path": entry.path}) for entry in plan.deployments]
    return {"target": target, "entries": entries, "notes": plan_notes(plan, target)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, PurePath) else value


def _row(entry: ModelDeployment, target: Target) -> tuple[str, ...]:
    place = _local(entry) if target == "local" else _instances(entry)
    return (entry.path, _origin(entry), place, _integration(entry), ", ".join(entry.headers) or "-")


def _origin(entry: ModelDeployment) -> str:  # noqa: PLR0911  # a table of kinds
    match entry.origin:
        case JumpStartModel(model_id, version):
            return f"{model_id} {version}" if version != "*" else model_id
        case PackageModel(arn):
            return arn.rpartition("/")[2]
        case ContainerModel(image):
            return image
        case ProviderModel(serving):
            return f"{serving.title}: {serving.model}"
        case BedrockModel(model_id):
            return f"Bedrock: {model_id}"
        case LocalModel():
            return "-"
        case _:
            return f"endpoint {entry.endpoint_name}"


def _local(entry: ModelDeployment) -> str:
    local = entry.local
    if local is None:
        return "nothing (501)"
    times = f" x{local.replicas}" if local.replicas > 1 else ""
    when = [f"({', '.join(_sleep(entry.sleep))})"] if entry.sleep else []
    return " ".join([f"{local.serving.engine}: {local.serving.summary}{times}", *when])


def _sleep(sleep: SleepPlan) -> Iterator[str]:
    if sleep.on_call:
        yield "starts on call"
    if sleep.idle_seconds is not None:
        yield f"sleeps after {render_duration(sleep.idle_seconds)}"
    if sleep.shares:
        yield f"shares {sleep.shares}"


def _instances(entry: ModelDeployment) -> str:
    if isinstance(entry.origin, ProviderModel):
        return f"none: {entry.origin.serving.title} hosts it"
    if isinstance(entry.origin, BedrockModel):
        return "none: Bedrock hosts it"
    if not entry.instances:
        return "as it is"
    return f"{_count(entry.autoscaling)} {' or '.join(entry.instances)}"


def _count(scaling: AutoscalingPlan | None) -> str:
    return f"{scaling.min_capacity}-{scaling.max_capacity} x" if scaling else "1 x"


def _integration(entry: ModelDeployment) -> str:
    function = entry.function
    if function is None:
        return entry.integration
    facts = f"{function.runtime}, {function.timeout_seconds} s, {function.memory_mib} MiB"
    return f"lambda {function.code.name} ({facts})"
