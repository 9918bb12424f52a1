"""`mlapi check`: every problem of a config, at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import config_argument, json_option
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import count_problems, problem_data, render_problems
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.errors import Problem


@click.command()
@config_argument
@json_option
@click.option("--offline", is_flag=True, help="Look nothing up outside of this machine (nothing is, yet).")
def check(config: Path, *, as_json: bool, offline: bool) -> None:
    """Check CONFIG and show every problem it has, without starting anything.

    Exit status 0 when there is no error, 2 when there is one.
    """
    del offline  # the format and the files on this machine are all that is checked so far
    try:
        loaded = load_config(config, now=datetime.now(UTC))
    except ConfigError as error:
        _fail(error, as_json=as_json)
        return
    if as_json:
        output.data_json(_answer(loaded.warnings, ok=True))
        return
    _report(config, loaded)


def _fail(error: ConfigError, *, as_json: bool) -> None:
    if not as_json:
        output.fail(error)
        output.next_command(f"mlapi explain {error.problems[0].id}")
    else:
        output.data_json(_answer(error.problems, ok=False))
    click.get_current_context().exit(error.exit_status)


def _report(config: Path, loaded: LoadedConfig) -> None:
    if loaded.warnings:
        output.talk(render_problems(loaded.warnings, loaded.document.text) + "\n")
    models, endpoints = len(loaded.config.models), len(loaded.config.endpoints)
    entries = f"{_counted(models, 'model')}, {_counted(endpoints, 'endpoint')}"
    output.data(f"{config}: {entries}, {count_problems(loaded.warnings)}")
    output.next_command(f"mlapi plan {config}")


def _answer(problems: Sequence[Problem], *, ok: bool) -> dict[str, object]:
    return {"ok": ok, "problems": [problem_data(problem) for problem in problems]}


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
