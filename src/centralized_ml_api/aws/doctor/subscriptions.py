"""Whether the account may use the Marketplace packages of the config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from centralized_ml_api.aws.failures import failure_of
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext

CHECK = "subscription"
_REFUSALS = frozenset({"ValidationException", "AccessDeniedException", "AccessDenied"})
_MARKETPLACE = "https://aws.amazon.com/marketplace/search/results?FULFILLMENT_OPTION_TYPE=SAGEMAKER_MODEL"


def check(subject: DoctorContext) -> Iterator[Finding]:
    """One finding a package. SageMaker shows a package to nobody who may not use it."""
    sagemaker = subject.clients.client("sagemaker")
    packages = [(one.name, one.model_package_arn) for one in subject.models if one.model_package_arn]
    for name, arn in packages:
        if f":{subject.clients.region}:" in arn:  # one of another region is a problem of the config
            yield _look(sagemaker, name, arn)


def _look(sagemaker: Any, name: str, arn: str) -> Finding:
    try:
        package = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _REFUSALS:
            raise
        return _refused(name, arn, error)
    status = package.get("ModelPackageStatus", "Completed")
    if status != "Completed":
        return Finding(CHECK, "error", f"the package of {name} is {status}", arn, "choose another version")
    return Finding(CHECK, "ok", f"SageMaker shows the package of {name} to this account", arn)


def _refused(name: str, arn: str, error: ClientError) -> Finding:
    failure = failure_of("not-subscribed")
    return Finding(
        CHECK,
        "error",
        f"no subscription to the package of {name}",
        f"{arn}: {error.response['Error'].get('Message', '')}",
        f"subscribe to it on {_MARKETPLACE}, wait until it is active",
        failure.page,
    )
