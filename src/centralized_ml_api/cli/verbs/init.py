"""`mlapi init`: writes a config to start from, or a whole example."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import yes_option
from centralized_ml_api.commands import DEFAULT_CONFIG, command, shown_path
from centralized_ml_api.config.document.load import is_yaml
from centralized_ml_api.config.examples import EXAMPLES, load_example
from centralized_ml_api.config.resolve import find_root
from centralized_ml_api.config.starter import render_starter
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=DEFAULT_CONFIG)
@click.option("--empty", is_flag=True, help="Write a config without models, for `mlapi models add`.")
@click.option(
    "--example",
    type=click.Choice(list(EXAMPLES)),
    help="Bring a whole example: a model behind a function, five models, the same for a small machine, or a "
    "chat with teams and limits.",
)
@yes_option
def init(file: Path, example: str | None, *, empty: bool, yes: bool) -> None:
    """Write a commented config to start from.

    FILE (config/models.json) must not exist yet. A name that ends in .yaml or .yml gives YAML. The config can
    be served at once. `mlapi models` searches for other models and adds them.

    With --example, the config comes with all that it needs: functions, models and samples are copied into
    this folder. You are asked before a file is overwritten.
    """
    if example is None:
        _write_starter(file, empty=empty)
        return
    if empty:
        raise UsageError("--empty and --example exclude each other", fix="leave one of them out")
    _bring_example(file, example, yes=yes)


def _write_starter(file: Path, *, empty: bool) -> None:
    """Writes the config to start from.

    Raises:
        UsageError: The file exists or cannot be written.
    """
    text = render_starter(yaml=is_yaml(file.name), empty=empty)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        raise UsageError(
            f"{file} already exists and was not changed", fix=f"check it: {command('check', file)}"
        ) from error
    except (OSError, ValueError) as error:
        raise _unwritable(file, error) from error
    output.data(str(file))
    output.next_command(command("models") if empty else command("check", file))


def _bring_example(file: Path, name: str, *, yes: bool) -> None:
    """Writes the config of an example, and what it names below the project root.

    Raises:
        UsageError: FILE would be read as YAML, a file cannot be written, or nobody can be asked.
        click.Abort: The user said no; nothing was written.
    """
    if is_yaml(file.name):
        raise UsageError(f"{file} would be read as YAML, and examples are JSON", fix="end the name in .json")
    example, root = load_example(name), find_root(file)
    contents = {file: example.text.encode()}
    contents |= {root / path: content for path, content in example.files.items()}
    different = [path for path, content in contents.items() if _differs(path, content)]
    if different:
        output.talk(f"Exists already, and differs from the example: {', '.join(map(shown_path, different))}")
        output.confirm("Overwrite?", yes=yes)
    _write(contents)
    for path in (file, *(root / named for named in example.named)):
        output.data(shown_path(path))
    output.next_command(command("up", file))


def _differs(path: Path, content: bytes) -> bool:
    """Returns whether something else is at the path.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return path.exists() and path.read_bytes() != content
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _write(contents: Mapping[Path, bytes]) -> None:
    """Writes the files and the folders that they need.

    Raises:
        UsageError: One cannot be written.
    """
    for path, content in contents.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except (OSError, ValueError) as error:
            raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path} cannot be written: {error}", fix="choose a file that you may write")
