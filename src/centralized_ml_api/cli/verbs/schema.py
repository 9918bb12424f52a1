"""`mlapi schema`: prints the JSON Schema of the config."""

from __future__ import annotations

import click

from centralized_ml_api.cli import output
from centralized_ml_api.config.json_schema import load_schema_text


@click.command()
def schema() -> None:
    """Print the JSON Schema of the config.

    With it an editor completes and explains every key. Save it beside the config as models.schema.json and
    name it there: "$schema": "./models.schema.json".
    """
    output.data(load_schema_text().rstrip("\n"))
    output.next_command('save it as models.schema.json, then write "$schema": "./models.schema.json"')
