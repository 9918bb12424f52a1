"""`mlapi destroy`: deletes a deployment and proves that it is gone."""

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
    yes_option,
)
from centralized_ml_api.cli.targets import open_aws_target
from centralized_ml_api.commands import command

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.aws.cdk.target import AwsTarget
    from centralized_ml_api.aws.deploy.deployment import DestroyReport

_KEPT = (
    "Kept, because other stacks use them: the CDK's bucket with the code of functions (CDKToolkit)"
    " and the account's role for API Gateway's logs."
)


@click.command()
@config_argument
@yes_option
@region_option
@stack_option
@qualifier_option
@log_folder_option
@json_option
def destroy(
    config: Path,
    *,
    region: str | None,
    stack: str,
    qualifier: str | None,
    state: Path,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete a deployment; prove that nothing billed is left.

    Keys made by a rotation and SageMaker's own logs, which are in no template, are deleted too. Afterwards
    each service is asked for everything that the stack had. The exit status is 1 when something is still
    there.
    """
    target, clients = open_aws_target(config, region=region, stack=stack, state=state, qualifier=qualifier)
    from centralized_ml_api.aws.deploy import deployment

    output.talk(f"Destroying {stack} in {target.region}: the API, its models and its functions.")
    output.confirm("Destroy?", yes=yes)
    report = deployment.destroy(target, clients, output.talk)
    _show(target, report, as_json=as_json)
    flags = (*stack_flags(region, stack), *qualifier_flags(qualifier))
    deployment.check_gone(report, command("destroy", config, *flags))
    if not as_json:
        output.next_command(command("deploy", config, *flags))


def _show(target: AwsTarget, report: DestroyReport, *, as_json: bool) -> None:
    if as_json:
        gone = [resource for resource in report.asked if resource not in report.left]
        output.data_json(
            {"stack": target.stack, "region": target.region, "gone": gone, "left": list(report.left)}
        )
    elif not report.asked:
        output.data(f"There is no stack {target.stack} in {target.region}; nothing billed is left of it.")
    elif not report.left:
        output.data(
            "\n".join(["Deleted, as each service confirms:", *(f"  {resource}" for resource in report.asked)])
        )
        output.data("Nothing billed is left.")
        output.talk(_KEPT)
