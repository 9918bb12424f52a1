"""`mlapi pull`: downloads weights and installs the packages of Python models ahead of time."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import load_plan_and_warn
from centralized_ml_api.cli.options import config_option, find_running
from centralized_ml_api.cli.output import counted
from centralized_ml_api.cli.progress import show_transfer, show_work
from centralized_ml_api.commands import DEFAULT_STATE, command, shown_path
from centralized_ml_api.config.wording import nearest
from centralized_ml_api.errors import StartError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from centralized_ml_api.config.weights import Weights
    from centralized_ml_api.plan.serving import Serving
    from centralized_ml_api.plan.types import ApiPlan

_LAST_LINES = 8


@click.command()
@click.argument("names", nargs=-1)
@config_option
@click.option(
    "--remove-unused",
    is_flag=True,
    help="Afterwards remove environments of Python models that nobody used for 30 days.",
)
def pull(names: Sequence[str], config: Path, *, remove_unused: bool) -> None:
    """Download the weights of NAMES, or of all models.

    An interrupted download resumes. The packages of Python models are installed too; afterwards `mlapi up`
    needs no network. Models with "fetch": "manual" are left out unless they are named.
    """
    if not config.is_file():
        refuse_files(names)
    plan = load_plan_and_warn(config)
    fetchable = find_fetchable(plan)
    check_names(plan, names, config)
    chosen = choose(fetchable, names, config)
    for name in [] if names else [name for name in fetchable if name not in chosen]:
        output.talk(f"{name} is fetched only by name: {command('pull', name, '--config', config)}")
    if not fetchable:
        output.talk("No model of this config has weights or packages to fetch.")
    for name, serving in chosen.items():
        if serving.installs_packages and serving.code_folder:
            _install(name, serving.code_folder)
        for weights in serving.weights_to_fetch:
            _fetch(name, weights, plan)
    if remove_unused:
        _remove_unused()
    running = find_running(DEFAULT_STATE)
    is_running = running is not None and running.absolute() == config.absolute()
    output.next_command(command("reload") if is_running else command("up", config))


def find_fetchable(plan: ApiPlan) -> dict[str, Serving]:
    """Returns what has something to fetch, by entry name. Pure."""
    servings = {entry.name: entry.local.serving for entry in plan.deployments if entry.local}
    return {
        name: serving
        for name, serving in servings.items()
        if serving.installs_packages or serving.weights_to_fetch
    }


def refuse_files(names: Sequence[str]) -> None:
    """Checks that no name is that of a file, which is told better than a missing config.

    Raises:
        UsageError: One is; the fix is to name it as the config.
    """
    for name in names:
        if Path(name).is_file():
            raise UsageError(f"{name} is a file, not the name of a model", fix=_name_config(name))


def check_names(plan: ApiPlan, names: Sequence[str], config: Path) -> None:
    """Checks that every name is one of the config.

    Args:
        plan: What the config lists.
        names: Those that were asked for.
        config: Its path, for the message.

    Raises:
        UsageError: One is not; where it is a file, the fix is to name it as the config.
    """
    known = [entry.name for entry in plan.deployments]
    for name in names:
        if name in known:
            continue
        if Path(name).is_file():
            fix = _name_config(name)
        else:
            meant = nearest(name, known)
            fix = f"did you mean {meant}?" if meant else f"choose one of: {', '.join(known) or 'none'}"
        raise UsageError(f"{shown_path(config)} has no model {name!r}", fix=fix)


def _name_config(file: str) -> str:
    return f"a config is named with --config: {command('pull', '--config', file)}"


def choose(fetchable: Mapping[str, Serving], names: Sequence[str], config: Path) -> dict[str, Serving]:
    """Returns the named ones, or all except those that are fetched by hand. Pure.

    Args:
        fetchable: What has something to fetch, by entry name.
        names: Those that were asked for; empty for all.
        config: Where they are listed.

    Raises:
        UsageError: An entry has nothing to fetch.
    """
    for name in names:
        if name not in fetchable:
            fix = (
                f"models with something to fetch: {', '.join(fetchable)}"
                if fetchable
                else f"no model of this config needs it: {command('up', config)}"
            )
            raise UsageError(f"{name} has nothing to fetch", fix=fix)
    automatic = [name for name, serving in fetchable.items() if not serving.waits_for_pull]
    return {name: fetchable[name] for name in names or automatic}


def _install(name: str, code: Path) -> None:
    from centralized_ml_api.local.python_engine import prepare_environment

    said: deque[bytes] = deque(maxlen=_LAST_LINES)
    try:
        with show_work(name) as say:
            prepare_environment(code, say=say, log=said.append, cancelled=threading.Event())
    except StartError:
        for line in said:
            output.talk(f"  {name} | {line.decode().rstrip()}")
        raise
    output.talk(f"{name}: packages installed")


def _remove_unused() -> None:
    from centralized_ml_api.local.python_engine import UNUSED_DAYS, remove_unused
    from centralized_ml_api.local.weights import render_bytes

    number, size = remove_unused()
    removed = f"{counted(number, 'environment')} of {render_bytes(size)} removed" if number else "none"
    output.talk(f"Environments that were not used for {UNUSED_DAYS} days: {removed}")


def _fetch(name: str, weights: Weights, plan: ApiPlan) -> None:
    from centralized_ml_api.local.weights import fetch_weights

    with show_transfer(name) as progress:
        path = fetch_weights(weights, folders=plan.folders, progress=progress)
    output.data(f"{name}: {path}")
