"""`mlapi check`: shows every problem of a config at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.cli import output
from centralized_ml_api.cli.aws_limits import find_limit_problems
from centralized_ml_api.cli.loading import describe_origin, look_up
from centralized_ml_api.cli.options import config_argument, json_option, offline_option, region_option
from centralized_ml_api.cli.output import counted
from centralized_ml_api.commands import command
from centralized_ml_api.config.load import read_config
from centralized_ml_api.config.render import count_problems, problem_data, render_problems
from centralized_ml_api.errors import ConfigError
from centralized_ml_api.extras import build_fix, find_missing
from centralized_ml_api.plan.bedrock import find_bedrock
from centralized_ml_api.plan.jumpstart_lookup import merge_problems
from centralized_ml_api.plan.provider import find_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.config.schema import Config
    from centralized_ml_api.errors import Problem


@click.command()
@config_argument
@json_option
@region_option
@offline_option
def check(config: Path, region: str | None, *, as_json: bool, offline: bool) -> None:
    """Show every problem of CONFIG, without starting anything.

    JumpStart models are looked up, so their versions, instance types and licences are checked too. What
    would exceed a quota of AWS is a warning, with the amount and what to do.
    The exit status is 2 when there is an error.
    """
    try:
        loaded, written = read_config(config, now=datetime.now(UTC), region=region)
        facts, looked_up = look_up(loaded, region=find_region(region), offline=offline)
        problems = merge_problems(written, looked_up)
        if any(problem.severity == "error" for problem in problems):
            raise ConfigError(problems, source=loaded.document.text)  # noqa: TRY301  # one way out
        problems += find_limit_problems(loaded, facts, find_region(region))
    except ConfigError as error:
        _fail(error, as_json=as_json)
        return
    if as_json:
        output.data_json(_answer(problems, ok=True))
        return
    _report(config, loaded, problems, facts)


def _fail(error: ConfigError, *, as_json: bool) -> None:
    if not as_json:
        output.fail(error)
        output.next_command(command("explain", error.problems[0].id))
    else:
        output.data_json(_answer(error.problems, ok=False))
    click.get_current_context().exit(error.exit_status)


def _report(
    config: Path, loaded: LoadedConfig, problems: Sequence[Problem], facts: Mapping[str, ModelFacts]
) -> None:
    if problems:
        output.talk(render_problems(problems, loaded.document.text) + "\n")
    models, endpoints = len(loaded.config.models), len(loaded.config.endpoints)
    entries = f"{counted(models, 'model')}, {counted(endpoints, 'endpoint')}"
    output.data(f"{config}: {entries}, {count_problems(problems)}")
    for name, found in facts.items():
        origin = describe_origin(found.source, found.fidelity)
        output.talk(f"JumpStart: {name} is {found.model_id} {found.version} ({origin})")
    for note in _note_translator(loaded.config):
        output.talk(note)
    output.next_command(command("plan", config))


def _note_translator(config: Config) -> Iterator[str]:
    """Yields what one machine lacks to translate between the APIs of callers and of providers."""
    if not find_missing("translator"):
        return
    found = [(entry.name, find_provider(entry) or find_bedrock(entry)) for entry in config.entries]
    hosted = [(name, serving.needs_translator) for name, serving in found if serving]
    for is_needed, what in (
        (False, "would have more APIs by translation"),
        (True, "is called by translation"),
    ):
        names = ", ".join(name for name, needs_it in hosted if needs_it is is_needed)
        if names:
            fix = build_fix("translator")
            yield f"On one machine, {names} {what}, which needs Node.js: {fix}"


def _answer(problems: Sequence[Problem], *, ok: bool) -> dict[str, object]:
    return {"ok": ok, "problems": [problem_data(problem) for problem in problems]}
