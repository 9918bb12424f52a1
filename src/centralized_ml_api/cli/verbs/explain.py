"""`mlapi explain`: says what the id of a problem means."""

from __future__ import annotations

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import find_config
from centralized_ml_api.commands import DEFAULT_STATE, command
from centralized_ml_api.config.checks.registry import RULES, find_rule
from centralized_ml_api.config.explain import render_rule
from centralized_ml_api.config.wording import nearest
from centralized_ml_api.errors import UsageError


@click.command()
@click.argument("id_", metavar="[ID]", required=False)
def explain(id_: str | None) -> None:
    """Explain the problem ID, such as C102, with an example.

    Without ID, list every id.
    """
    if id_ is None:
        output.data("\n".join(f"{rule.id}  {rule.title}" for rule in RULES))
        output.next_command(command("explain", RULES[0].id))
        return
    rule = find_rule(id_)
    if rule is None:
        meant = nearest(id_, [rule.id for rule in RULES])
        raise UsageError(
            f"no problem has the id {id_}",
            fix=command("explain", meant) if meant else f"list every id: {command('explain')}",
        )
    output.data(render_rule(rule))
    config = find_config(DEFAULT_STATE)
    output.next_command(command("check", config) if config.is_file() else command("init", config))
