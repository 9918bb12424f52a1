"""`mlapi pull`: fetches weights, and installs the packages of python models, ahead of time."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import load_plan_and_warn
from centralized_ml_api.cli.options import DEFAULT_CONFIG
from centralized_ml_api.errors import StartError, UsageError
from centralized_ml_api.plan.model import LlamaCppServing, PythonServing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.plan.model import ApiPlan

    Fetched = LlamaCppServing | PythonServing

_LAST_LINES = 8


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
    """Fetch the weights of the models NAMES, or of every model, into the cache; interrupted, it resumes.

    The packages of python models are installed, too: afterwards `mlapi up` needs no network.
    """
    plan = load_plan_and_warn(config)
    chosen = choose(plan, names)
    if not chosen:
        output.talk("No model of this config has weights or packages to fetch.")
    for name, serving in chosen.items():
        if isinstance(serving, PythonServing):
            _install(name, serving)
        if serving.weights:
            _fetch(name, serving.weights, plan)
    output.next_command(f"mlapi up {config}")


def choose(plan: ApiPlan, names: Sequence[str]) -> dict[str, Fetched]:
    """What has something to fetch, by entry name: of the named entries, or of all.

    Raises:
        UsageError: a name is not in the config, or its entry has nothing to fetch.
    """
    servings = {entry.name: entry.local.serving for entry in plan.deployments if entry.local}
    having = {
        name: serving
        for name, serving in servings.items()
        if isinstance(serving, (LlamaCppServing, PythonServing))
    }
    for name in names:
        if name not in having:
            known = ", ".join(having) or "none"
            raise UsageError(f"{name} has nothing to fetch", fix=f"models that have: {known}")
    return {name: having[name] for name in names or having}


def _install(name: str, serving: PythonServing) -> None:
    from centralized_ml_api.cli.transfer import show_work  # noqa: PLC0415  # only this verb pays for it
    from centralized_ml_api.local.python_engine import prepare_environment  # noqa: PLC0415

    said: deque[bytes] = deque(maxlen=_LAST_LINES)
    try:
        with show_work(name) as say:
            prepare_environment(serving.code, say=say, log=said.append, cancelled=threading.Event())
    except StartError:
        for line in said:
            output.talk(f"  {name} | {line.decode().rstrip()}")
        raise
    output.talk(f"{name}: its packages are installed")


def _fetch(name: str, weights: Weights, plan: ApiPlan) -> None:
    from centralized_ml_api.cli.transfer import show_transfer  # noqa: PLC0415  # only this verb pays for it
    from centralized_ml_api.local.weights import fetch_weights  # noqa: PLC0415

    with show_transfer(name) as progress:
        path = fetch_weights(weights, folders=plan.folders, progress=progress)
    output.data(f"{name}: {path}")
