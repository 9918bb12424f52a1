"""Generates the page about the command line from the verbs themselves."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import VERBS, mlapi
from centralized_ml_api.errors import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator

_START = f"""\
<!-- Generated from src/centralized_ml_api/cli by `make docs`. -->

# The command line: `mlapi`

Without `CONFIG`, verbs use the config that runs here, otherwise `config/models.json`. What you asked for goes
to standard output, everything else to standard error, so a script can read the one and a person the other.
With `--json` a verb prints JSON.
There are no colours when the output is not a terminal or `NO_COLOR` is set.

| exit status | when |
| --- | --- |
| 0 | it worked |
| 1 | it failed: nothing runs, a model could not start, the response to a call was an error |
| 2 | the command line or the config is wrong; nothing was started or changed |
| {INTERRUPTED} | Ctrl-C interrupted it, or SIGTERM, at which `mlapi up` ends with 0 |
"""


def render_cli_reference() -> str:
    """Returns the whole page, in Markdown."""
    root = click.Context(mlapi, info_name="mlapi")
    commands = {name: mlapi.get_command(root, name) for name in VERBS}
    sections = [_describe(name, command, root) for name, command in commands.items() if command]
    return "\n".join([_START, *sections])


def _describe(name: str, command: click.Command, parent: click.Context) -> str:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.collect_usage_pieces(context))
    return "\n".join(
        [
            f"## `mlapi {name}`",
            "",
            *("```text", f"mlapi {name} {usage}", "```", ""),
            inspect.cleandoc(command.help or ""),
            "",
            *_options(command, context),
            *_below(command, context),
        ]
    )


def _below(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yields the commands below a verb, such as `mlapi models show`."""
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        if not inner.hidden:
            yield _describe(f"{context.info_name} {name}", inner, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    options = [option for option in command.params if isinstance(option, click.Option)]
    if options:
        yield from ("| flag | default | meaning |", "| --- | --- | --- |")
        yield from (_option(option, context) for option in options)
        yield ""


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    values = "" if option.is_flag else f" {_values(option, context)}"
    default = f"`{option.default}`" if option.show_default else ""
    return f"| {names}{values} | {default} | {option.help or ''} |"


def _values(option: click.Option, context: click.Context) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(f"`{value}`" for value in option.type.choices)
    return option.make_metavar(context).removesuffix(" RANGE")
