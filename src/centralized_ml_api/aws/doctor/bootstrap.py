"""Whether the account and region are prepared for the CDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.aws.account import BOOTSTRAP_VERSION, load_account, load_bootstrap_version
from centralized_ml_api.aws.failures import failure_of
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.aws.doctor.context import DoctorContext

CHECK = "bootstrap"


def check(subject: DoctorContext) -> Iterator[Finding]:
    """One finding: `mlapi deploy` prepares the account by itself, other ways of deploying do not."""
    clients = subject.clients
    version = load_bootstrap_version(clients)
    if version is not None and version >= BOOTSTRAP_VERSION:
        yield Finding(CHECK, "ok", "prepared for the CDK", f"bootstrap version {version}")
        return
    state = "no bootstrap stack" if version is None else f"bootstrap version {version}, too old"
    failure = failure_of("not-bootstrapped")
    fix = f"npx cdk bootstrap aws://{load_account(clients)}/{clients.region} (mlapi deploy does a first one)"
    yield Finding(CHECK, "error", failure.title, f"{state} in {clients.region}", fix, failure.page)
