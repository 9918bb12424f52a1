"""`mlapi destroy`: the end of a deployment, with proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli import output
from centralized_ml_api.cli.again import aws_flags, other_config
from centralized_ml_api.cli.confirming import confirm
from centralized_ml_api.cli.options import (
    config_argument,
    json_option,
    log_folder_option,
    region_option,
    stack_option,
    yes_option,
)

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.aws.deployment import DestroyReport
    from centralized_ml_api.aws.target import AwsTarget

_KEPT = (
    "Kept, because other stacks use them: the bucket of the CDK with the code of functions (CDKToolkit),"
    " and the account's role for the logs of API Gateway."
)


@click.command()
@config_argument
@yes_option
@region_option
@stack_option
@log_folder_option
@json_option
def destroy(config: Path, region: str | None, stack: str, state: Path, *, yes: bool, as_json: bool) -> None:
    """Delete what `mlapi deploy` made, and prove that nothing billed is left.

    Keys that were made by a rotation and SageMaker's own logs, which no template names, are removed too.
    Afterwards every service is asked for everything that the stack had. Exit status 1 when something is
    still there.
    """
    from centralized_ml_api.cli.aws_target import open_target  # noqa: PLC0415  # only these verbs pay for it

    target, clients = open_target(config, region=region, stack=stack, state=state)
    from centralized_ml_api.aws import deployment  # noqa: PLC0415

    output.talk(f"Destroying {stack} in {target.region}: the API, its models and its functions.")
    confirm("Destroy?", yes=yes)
    report = deployment.destroy(target, clients, output.talk)
    _show(target, report, as_json=as_json)
    deployment.check_gone(report, f"mlapi destroy{other_config(config)}{aws_flags(region, stack)}")


def _show(target: AwsTarget, report: DestroyReport, *, as_json: bool) -> None:
    if as_json:
        gone = [one for one in report.asked if one not in report.left]
        output.data_json(
            {"stack": target.stack, "region": target.region, "gone": gone, "left": list(report.left)}
        )
    elif not report.asked:
        output.data(f"There was no stack {target.stack} in {target.region}; nothing billed is left of it.")
    elif not report.left:
        output.data("\n".join(["Gone, asked one by one:", *(f"  {one}" for one in report.asked)]))
        output.data("Nothing billed is left.")
        output.talk(_KEPT)
