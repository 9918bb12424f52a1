"""`mlapi pull`: fetches weights ahead of time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import load_plan_and_warn
from centralized_ml_api.cli.options import DEFAULT_CONFIG
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.model import LlamaCppServing, PythonServing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.plan.model import ApiPlan


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The config.",
)
def pull(names: Sequence[str], config: Path) -> None:
    """Fetch the weights of the models NAMES, or of every model, into the cache; interrupted, it resumes."""
    plan = load_plan_and_warn(config)
    chosen = choose(plan, names)
    if not chosen:
        output.talk("No model of this config has weights to fetch.")
    for name, weights in chosen.items():
        _fetch(name, weights, plan)
    output.next_command(f"mlapi up {config}")


def choose(plan: ApiPlan, names: Sequence[str]) -> dict[str, Weights]:
    """The weights by entry name, of the named entries or of all that have some.

    Raises:
        UsageError: a name is not in the config, or its entry has no weights.
    """
    having = {entry.name: weights for entry in plan.deployments if (weights := _weights(plan, entry.name))}
    for name in names:
        if name not in having:
            known = ", ".join(having) or "none"
            raise UsageError(f"{name} has no weights to fetch", fix=f"models with weights: {known}")
    return {name: having[name] for name in names or having}


def _weights(plan: ApiPlan, name: str) -> Weights | None:
    deployment = plan.deployment(name)
    serving = deployment.local.serving if deployment and deployment.local else None
    return serving.weights if isinstance(serving, (LlamaCppServing, PythonServing)) else None


def _fetch(name: str, weights: Weights, plan: ApiPlan) -> None:
    from centralized_ml_api.cli.transfer import show_transfer  # noqa: PLC0415  # only this verb pays for it
    from centralized_ml_api.local.weights import fetch_weights  # noqa: PLC0415

    with show_transfer(name) as progress:
        path = fetch_weights(weights, folders=plan.folders, progress=progress)
    output.data(f"{name}: {path}")
