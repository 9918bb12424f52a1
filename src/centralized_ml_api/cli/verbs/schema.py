"""`mlapi schema`: the JSON Schema of the config."""

from __future__ import annotations

import click

from centralized_ml_api.cli import output
from centralized_ml_api.config.json_schema import load_schema_text


@click.command()
def schema() -> None:
    """Print the JSON Schema of the config, with which an editor completes and explains every key.

    Save it, and name it in the config: "$schema": "./models.schema.json".
    """
    output.data(load_schema_text().rstrip("\n"))
