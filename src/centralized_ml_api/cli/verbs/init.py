"""`mlapi init`: writes a config to start from."""

from __future__ import annotations

from pathlib import Path

import click

from centralized_ml_api.cli import output
from centralized_ml_api.commands import DEFAULT_CONFIG, command
from centralized_ml_api.config.document.load import YAML_SUFFIXES
from centralized_ml_api.config.starter import render_starter
from centralized_ml_api.errors import UsageError


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=DEFAULT_CONFIG)
@click.option("--empty", is_flag=True, help="Write a config without models, for `mlapi models add`.")
def init(file: Path, *, empty: bool) -> None:
    """Write a commented config to start from.

    FILE (config/models.json) must not exist yet. A name that ends in .yaml or .yml gives YAML. The config can
    be served at once. `mlapi models` searches for other models and adds them.
    """
    text = render_starter(yaml=file.suffix.lower() in YAML_SUFFIXES, empty=empty)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        raise UsageError(
            f"{file} already exists and was not changed", fix=f"check it: {command('check', file)}"
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{file} cannot be written: {error}", fix="choose a file that you may write"
        ) from error
    output.data(str(file))
    output.next_command(command("models") if empty else command("check", file))
