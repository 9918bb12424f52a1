"""`make prove-on-aws`: deploys a small config to a real account, checks everything, destroys it, reports."""

from __future__ import annotations

import os
import signal
import sys
from decimal import Decimal
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.aws.deploy.account import load_caller
from centralized_ml_api.aws.doctor.quotas import Account, load_quotas
from centralized_ml_api.aws.doctor.running import load_running
from centralized_ml_api.aws.planning.instance_prices import load_prices
from prove.placing import REGISTRIES, Placed, image_of, place
from prove.run import ADDRESS_VARIABLE, ENDS_AFTER, Run, Settings, can_begin

ROOT = Path(__file__).parents[2]
STACK = "MlapiProve"
LIMIT_USD = Decimal("1.90")
"""What an hour of all instances may cost; a run with deploying and destroying takes about one."""

REFUSED, FAILED, INTERRUPTED = 2, 1, 130


def interrupt(*_: object) -> None:
    """Ends as Ctrl-C does."""
    raise KeyboardInterrupt


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--region", help="Use this AWS region. Default: that of your AWS settings, or us-east-1.")
@click.option("--stack", default=STACK, show_default=True, help="Name the stack so.")
@click.option("--folder", type=click.Path(path_type=Path), help="Write here. Default: .cache/prove-on-aws.")
@click.option(
    "--max-usd", type=Decimal, default=LIMIT_USD, show_default=True, help="Pay at most so much an hour."
)
@click.option("--bootstrap", is_flag=True, help="Bootstrap the account for the CDK where nobody has.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def prove(
    region: str | None, stack: str, folder: Path | None, max_usd: Decimal, *, bootstrap: bool, yes: bool
) -> None:
    """Deploy a small config to AWS, check everything against it, destroy it, and write a report."""
    folder = folder or ROOT / ".cache" / "prove-on-aws"
    folder.mkdir(parents=True, exist_ok=True)
    clients = AwsClients(region)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        caller = load_caller(clients)
        placed = _place(clients, stack, max_usd)
    except (BotoCoreError, ClientError) as error:
        _refuse(f"AWS does not answer: {error}")
    if clients.region not in REGISTRIES:
        _refuse(f"no container is known for {clients.region}; use one of {', '.join(REGISTRIES)}")
    if not can_begin(placed):
        _refuse(
            f"the quotas of {clients.region} have no room for two small instances under {max_usd} USD an"
            ' hour; request an increase of "ml.m5.xlarge for endpoint usage" in Service Quotas, or use'
            " another region"
        )
    if (folder / "functions").exists():
        _refuse(f"{folder} has the files of another run; delete it, or name another with --folder")
    click.echo(describe(placed, caller.account, clients.region, stack), err=True)
    if not yes and not click.confirm("Deploy this, and pay for it?", err=True):
        sys.exit(REFUSED)
    address = os.environ.get(ADDRESS_VARIABLE, "")
    settings = Settings(folder, stack, image_of(clients.region), placed, bootstrap, address)
    run = Run(settings, clients, os.environ, lambda text: click.echo(text, err=True))
    passed = run.execute()
    readable, machine = run.report.write(folder)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in run.report.counts().items())
    click.echo(f"{'Passed' if passed else 'FAILED'}: {counts}. The report: {readable} and {machine.name}")
    sys.exit(0 if passed else FAILED)


def _place(clients: AwsClients, stack: str, max_usd: Decimal) -> Placed:
    """Chooses by the prices and by what the account may still run; without quotas, by the prices alone."""
    prices = {name: price.usd for name, price in load_prices(clients).instances.items()}
    try:
        account = Account(clients.region, load_quotas(clients), load_running(clients, stack))
    except ClientError as error:
        click.echo(f"Note: cannot see the quotas: {error}", err=True)
        return place(prices, None, max_usd)
    return place(prices, {name: account.free(name) for name in account.quotas}, max_usd)


def describe(placed: Placed, account: str, region: str, stack: str) -> str:
    """Returns what will be made, what it costs and how it ends. Pure."""
    hours = ENDS_AFTER.total_seconds() / 3600
    return (
        f"This deploys the stack {stack} and a bucket to account {account} in {region}, checks the API, and"
        f" destroys both.\n"
        f"It starts {len(placed.types)} instances for {placed.hourly:.2f} USD an hour in all; a run takes"
        f" about an hour, so it costs about {placed.hourly:.2f} USD, and cents for calls and logs.\n"
        f"If this program dies, the stack deletes itself after {hours:.0f} hours. What stays: the CDK's"
        f" bootstrap stack, and API Gateway's role for logs; neither costs anything to speak of."
    )


def _refuse(why: str) -> None:
    click.echo(f"error: {why}", err=True)
    sys.exit(REFUSED)


if __name__ == "__main__":
    prove()
