"""`mlapi diff`: shows what a deploy would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.aws.settings import qualifier_flags, stack_flags
from centralized_ml_api.cli import output
from centralized_ml_api.cli.options import (
    config_argument,
    json_option,
    log_folder_option,
    qualifier_option,
    region_option,
    stack_option,
)
from centralized_ml_api.cli.targets import load_target_plan, open_aws_target
from centralized_ml_api.commands import command

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@config_argument
@region_option
@stack_option
@qualifier_option
@log_folder_option
@json_option
def diff(
    config: Path, *, region: str | None, stack: str, qualifier: str | None, state: Path, as_json: bool
) -> None:
    """Show what a deploy would change, in the CDK's own words.

    `mlapi plan --target aws` is shorter, and says what callers would notice.
    """
    target, clients = open_aws_target(config, region=region, stack=stack, state=state, qualifier=qualifier)
    load_target_plan(target)
    from centralized_ml_api.aws.deploy import deployment

    text, different = deployment.diff(target, clients, output.talk)
    if as_json:
        output.data_json({"stack": stack, "region": target.region, "different": different, "text": text})
        return
    output.data(text.rstrip())
    flags = stack_flags(region, stack)
    if different:
        output.next_command(command("deploy", config, *flags, *qualifier_flags(qualifier)))
    else:
        output.next_command(command("plan", config, "--target", "aws", *flags))
