"""`mlapi diff`: what a deploy would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.again import aws_flags
from centralized_ml_api.cli.options import (
    config_argument,
    json_option,
    log_folder_option,
    region_option,
    stack_option,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@config_argument
@region_option
@stack_option
@log_folder_option
@json_option
def diff(config: Path, region: str | None, stack: str, state: Path, *, as_json: bool) -> None:
    """Show what `mlapi deploy` would change, resource by resource, in the CDK's own words.

    `mlapi plan --target aws` says the same shorter, and what callers would notice.
    """
    from centralized_ml_api.cli.aws_target import load_plan, open_target  # noqa: PLC0415  # only these pay

    target, clients = open_target(config, region=region, stack=stack, state=state)
    load_plan(target)
    from centralized_ml_api.aws import deployment  # noqa: PLC0415

    text, different = deployment.diff(target, clients, output.talk)
    if as_json:
        output.data_json({"stack": stack, "region": target.region, "different": different, "text": text})
        return
    output.data(text.rstrip())
    again = aws_flags(region, stack)
    output.next_command(
        f"mlapi deploy {config}{again}"
        if different
        else f"nothing to deploy; mlapi plan {config} --target aws{again}"
    )
