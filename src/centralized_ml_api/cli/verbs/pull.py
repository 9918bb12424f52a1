"""`mlapi pull`: fetches weights, and installs the packages of python models, ahead of time."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.counting import counted
from centralized_ml_api.cli.loading import load_plan_and_warn
from centralized_ml_api.cli.options import DEFAULT_CONFIG
from centralized_ml_api.errors import StartError, UsageError
from centralized_ml_api.plan.types import LlamaCppServing, PythonServing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.plan.types import ApiPlan

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
@click.option(
    "--remove-unused",
    is_flag=True,
    help="Then remove the environments of python models that were not used for 30 days.",
)
def pull(names: Sequence[str], config: Path, *, remove_unused: bool) -> None:
    """Fetch the weights of the models NAMES, or of every model, into the cache; interrupted, it resumes.

    The packages of python models are installed, too: afterwards `mlapi up` needs no network. Models with
    "fetch": "manual" are left out unless they are named.
    """
    plan = load_plan_and_warn(config)
    having = find_fetched(plan)
    chosen = choose(having, names)
    for name in [] if names else [one for one in having if one not in chosen]:
        output.talk(f"{name} is fetched by its name alone: mlapi pull {name}")
    if not having:
        output.talk("No model of this config has weights or packages to fetch.")
    for name, serving in chosen.items():
        if isinstance(serving, PythonServing):
            _install(name, serving)
        if serving.weights:
            _fetch(name, serving.weights, plan)
    if remove_unused:
        _remove_unused()
    output.next_command(f"mlapi up {config}")


def find_fetched(plan: ApiPlan) -> dict[str, Fetched]:
    """What has something to fetch, by entry name."""
    servings = {entry.name: entry.local.serving for entry in plan.deployments if entry.local}
    return {
        name: serving
        for name, serving in servings.items()
        if isinstance(serving, (LlamaCppServing, PythonServing))
    }


def choose(having: Mapping[str, Fetched], names: Sequence[str]) -> dict[str, Fetched]:
    """The named ones, or all but those that are fetched by hand.

    Raises:
        UsageError: a name is not in the config, or its entry has nothing to fetch.
    """
    for name in names:
        if name not in having:
            known = ", ".join(having) or "none"
            raise UsageError(f"{name} has nothing to fetch", fix=f"models that have: {known}")
    automatic = [name for name, serving in having.items() if serving.fetch == "auto"]
    return {name: having[name] for name in names or automatic}


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


def _remove_unused() -> None:
    from centralized_ml_api.local.python_engine.unused import UNUSED_DAYS, remove_unused  # noqa: PLC0415
    from centralized_ml_api.local.weights.size import render_bytes  # noqa: PLC0415

    number, size = remove_unused()
    removed = f"{counted(number, 'environment')} of {render_bytes(size)} removed" if number else "none"
    output.talk(f"Environments that were not used for {UNUSED_DAYS} days: {removed}")


def _fetch(name: str, weights: Weights, plan: ApiPlan) -> None:
    from centralized_ml_api.cli.transfer import show_transfer  # noqa: PLC0415  # only this verb pays for it
    from centralized_ml_api.local.weights import fetch_weights  # noqa: PLC0415

    with show_transfer(name) as progress:
        path = fetch_weights(weights, folders=plan.folders, progress=progress)
    output.data(f"{name}: {path}")
