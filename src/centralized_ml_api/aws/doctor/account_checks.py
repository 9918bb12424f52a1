"""Checks of the account: credentials, bootstrap stack, the stack itself, Marketplace subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.aws.cdk.bootstrap import (
    BOOTSTRAP_VERSION,
    describe_foreign,
    load_bootstrap,
    load_deployed_qualifier,
)
from centralized_ml_api.aws.deploy.account import UNKNOWN_CALLER, load_account, load_caller
from centralized_ml_api.aws.failures.explain import explain_error
from centralized_ml_api.aws.failures.known import failure_of
from centralized_ml_api.aws.settings import qualifier_flags, stack_flags
from centralized_ml_api.aws.stack.deployed_stack import load_resources
from centralized_ml_api.aws.stack.ending import load_ending
from centralized_ml_api.aws.stack.live_endpoints import (
    ROLLED_BACK,
    describe_rollback,
    load_live_endpoints,
    repair_rollback,
)
from centralized_ml_api.aws.stack.mail import load_subscription
from centralized_ml_api.catalog.sources.snapshot import registry_of
from centralized_ml_api.commands import command
from centralized_ml_api.config.ecr import read_ecr_image
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext
    from centralized_ml_api.config.ecr import EcrImage

_NOT_UPDATABLE = (
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "CREATE_FAILED",
    "DELETE_FAILED",
    "UPDATE_ROLLBACK_FAILED",
)
_REFUSALS = frozenset({"ValidationException", "AccessDeniedException", "AccessDenied"})
_AWS_REGISTRIES = (
    "https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html"
)
"""The accounts of AWS's own images: several in each region, of which the catalogue knows one."""

_MARKETPLACE = "https://aws.amazon.com/marketplace/search/results?FULFILLMENT_OPTION_TYPE=SAGEMAKER_MODEL"


def check_credentials(context: DoctorContext) -> Iterator[Finding]:
    """Yields one finding: the account and the region, or what is wrong with the credentials."""
    try:
        caller = load_caller(context.clients)
    except (BotoCoreError, ClientError) as error:
        failure = explain_error(error)
        title, fix, page = (failure.title, failure.fix, failure.page) if failure else (UNKNOWN_CALLER, "", "")
        yield Finding("credentials", "error", title, str(error), fix, page)
        return
    who = f"account {caller.account} as {caller.arn} in {context.clients.region}"
    yield Finding("credentials", "ok", "AWS knows who you are", who)


def check_bootstrap(context: DoctorContext) -> Iterator[Finding]:
    """Yields one finding: the bootstrap that a deploy uses is there, or what to do.

    Raises:
        DeployError: AWS does not know who deploys.
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    clients = context.clients
    qualifier = context.qualifier or load_deployed_qualifier(clients, context.stack)
    bootstrap = load_bootstrap(clients, qualifier)
    version = bootstrap.version
    if version is not None and version >= BOOTSTRAP_VERSION:
        detail = f"bootstrap version {version}, qualifier {bootstrap.qualifier}"
        yield Finding("bootstrap", "ok", "bootstrapped for the CDK", detail)
        return
    failure = failure_of("not-bootstrapped")
    if bootstrap.is_foreign:
        state, fix = describe_foreign(bootstrap, clients.region)
        yield Finding(
            "bootstrap", "error", "bootstrapped for the CDK, but otherwise", state, fix, failure.page
        )
        return
    state = "no bootstrap stack" if version is None else f"bootstrap version {version}, too old"
    named = " ".join(["", *qualifier_flags(qualifier)])
    fix = f"npx cdk bootstrap aws://{load_account(clients)}/{clients.region}{named}"
    if version is None:
        flags = (*stack_flags(clients.region, context.stack), *qualifier_flags(context.qualifier))
        fix = f"{fix}, or: {command('deploy', context.path, '--bootstrap', *flags)}"
    yield Finding("bootstrap", "error", failure.title, f"{state} in {clients.region}", fix, failure.page)


def check_stack(context: DoctorContext) -> Iterator[Finding]:
    """Yields one finding: the name is free, or the stack can be updated, is busy, or is stuck.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    cloudformation = context.clients.client("cloudformation")
    try:
        status = str(cloudformation.describe_stacks(StackName=context.stack)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        yield Finding("stack", "ok", f"the name {context.stack} is free")
        return
    busy = status.endswith("_IN_PROGRESS")
    if not busy and status not in _NOT_UPDATABLE:
        yield Finding("stack", "ok", f"{context.stack} exists and can be updated", status)
        return
    page = failure_of("stack-busy").page
    flags = stack_flags(context.clients.region, context.stack)
    destroy = command("destroy", context.path, *flags)
    fix = "wait until it ends" if busy else f"destroy it, then deploy again: {destroy}"
    yield Finding("stack", "error", f"{context.stack} cannot be updated", status, fix, page)


def check_images(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for each own image whose registry belongs to another account.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say who deploys.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    caller = load_caller(context.clients)
    for model in context.models:
        image = read_ecr_image(model.image or "")
        if image is None or image.account == caller.account or is_of_aws(image):
            continue
        yield Finding(
            "image",
            "warning",
            f"the image of {model.name} belongs to account {image.account}",
            f"unless it is one of AWS's own, it needs a repository policy there that lets account"
            f" {caller.account} pull {image.repository}",
            f"ask its owner to allow arn:{caller.partition}:iam::{caller.account}:root ecr:BatchGetImage and"
            f" ecr:GetDownloadUrlForLayer; AWS's own accounts: {_AWS_REGISTRIES}",
        )


def is_of_aws(image: EcrImage) -> bool:
    """Returns whether the image is in AWS's own registry of its region, from which everybody may pull."""
    registry = registry_of(image.region)
    return registry is not None and registry.startswith(f"{image.account}.")


def check_endpoints(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for each endpoint of the stack: whether it runs what was deployed, or is updating.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    for endpoint in load_live_endpoints(context.clients, context.stack):
        if endpoint.is_updating:
            title = f"the endpoint {endpoint.name} is updating"
            yield Finding("endpoints", "ok", title, f"SageMaker says {endpoint.status}; look again later")
            continue
        if endpoint.is_as_deployed:
            title = f"the endpoint {endpoint.name} runs what was deployed"
            yield Finding("endpoints", "ok", title, endpoint.deployed.words)
            continue
        title = f"the endpoint {endpoint.name} does not run what was deployed"
        fix = repair_rollback(endpoint, context.clients.region)
        yield Finding("endpoints", "error", title, describe_rollback(endpoint), fix, ROLLED_BACK)


def check_end(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for the end of the deployed event: whether all of it ends then.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    ending = load_ending(
        context.clients, load_resources(context.clients.client("cloudformation"), context.stack)
    )
    if ending is None:
        return
    at = render_instant(ending.start)
    if ending.is_consistent:
        yield Finding("end", "ok", f"{context.stack} ends at {at}", "the endpoints first, then the stack")
        return
    flags = stack_flags(context.clients.region, context.stack)
    again = command("extend", render_instant(ending.latest), context.path, "--target", "aws", *flags)
    title = f"not all of {context.stack} ends at {at}"
    detail = "a schedule has another time, or is switched off: what it deletes costs money until then"
    yield Finding("end", "error", title, detail, again)


def check_mail(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding where the deployed stack mails alarms and failed ends: whether somebody gets them.

    Raises:
        botocore.exceptions.ClientError: AWS refused to say.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    clients = context.clients
    mail = load_subscription(clients, load_resources(clients.client("cloudformation"), context.stack))
    if mail is None:
        return
    if not mail.trouble:
        yield Finding("mail", "ok", f"alarms are mailed to {mail.address}")
        return
    budget = context.config.event.budget if context.config and context.config.event else None
    fix = mail.build_fix(clients.region, budget.email if budget else "")
    yield Finding("mail", "warning", "nobody gets the stack's mails", mail.trouble, fix)


def check_subscriptions(context: DoctorContext) -> Iterator[Finding]:
    """Yields a finding for each Marketplace package: SageMaker hides those that an account may not use.

    Raises:
        botocore.exceptions.ClientError: AWS refused for another reason.
        botocore.exceptions.BotoCoreError: AWS could not be asked.
    """
    sagemaker = context.clients.client("sagemaker")
    for model in context.models:
        name, arn = model.name, model.model_package_arn
        if (
            arn is None or f":{context.clients.region}:" not in arn
        ):  # another region is a problem of the config
            continue
        try:
            package = sagemaker.describe_model_package(ModelPackageName=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSALS:
                raise
            yield Finding(
                "subscription",
                "error",
                f"this account has no subscription to the package of {name}",
                f"{arn}: {error.response['Error'].get('Message', '')}",
                f"subscribe to it on {_MARKETPLACE}, then wait until the subscription is active",
                failure_of("not-subscribed").page,
            )
            continue
        status = package.get("ModelPackageStatus", "Completed")
        if status != "Completed":
            title = f"the package of {name} is {status}"
            yield Finding("subscription", "error", title, arn, "choose another version")
        else:
            yield Finding("subscription", "ok", f"this account may use the package of {name}", arn)
