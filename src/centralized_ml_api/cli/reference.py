"""The page about the command line, made from the verbs themselves."""

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

`CONFIG` is `config/models.json` when it is left out. What you asked for goes to standard output, everything
else to standard error, so that scripts can read the one and people the other. Verbs with `--json` print JSON.
Colours are left out when the output is no terminal or `NO_COLOR` is set.

| exit status | when |
| --- | --- |
| 0 | it worked |
| 1 | it failed: nothing runs, a model could not be started, a call was answered with an error |
| 2 | the command line or the config is wrong; nothing was started or changed |
| {INTERRUPTED} | it was interrupted with Ctrl-C |
"""


def render_cli_reference() -> str:
    """The whole page, in Markdown. Pure."""
    root = click.Context(mlapi, info_name="mlapi")
    return "\n".join([_START, *(_verb(name, root) for name in VERBS)])


def _verb(name: str, root: click.Context) -> str:
    command = mlapi.get_command(root, name)
    if command is None:
        raise LookupError(f"no verb {name}")
    return _describe(name, command, root)


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
    """What a verb has below it: `mlapi models show`."""
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        if not inner.hidden:
            yield _describe(f"{context.info_name} {name}", inner, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    options = [one for one in command.params if isinstance(one, click.Option)]
    if options:
        yield from ("| flag | default | meaning |", "| --- | --- | --- |")
        yield from (_option(one, context) for one in options)
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
