"""What a company's account demands of everything that is deployed into it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.config.schema.aws import Aws

LOG_RETENTION_DAYS = 30
"""Long enough to investigate an event afterwards, short enough to cost little."""


@record
class VpcPlan:
    """The network of models and functions; with `isolation`, containers have none."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    isolation: bool


@record
class DomainPlan:
    """A name for the API, and the ARN of its certificate."""

    name: str
    certificate: str


@record
class AccountPlan:
    """All of it. ARNs are as written; `allow_from` are networks, `private` are ids of VPC endpoints.

    `integration_timeout_seconds` is None for API Gateway's usual limit. `jobs` is whether callers need not
    wait for answers.
    """

    permissions_boundary: str | None = None
    execution_role: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    vpc: VpcPlan | None = None
    log_retention_days: int = LOG_RETENTION_DAYS
    allow_from: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    waf_acl: str | None = None
    domain: DomainPlan | None = None
    integration_timeout_seconds: int | None = None
    jobs: bool = False


def build_account(written: Aws | None) -> AccountPlan:
    """Builds it from `aws` of the config; None stands for an account that demands nothing."""
    if written is None:
        return AccountPlan()
    vpc, domain = written.vpc, written.domain
    return AccountPlan(
        permissions_boundary=written.permissions_boundary,
        execution_role=written.execution_role,
        tags=dict(written.tags),
        vpc=VpcPlan(tuple(vpc.subnets), tuple(vpc.security_groups), vpc.isolation) if vpc else None,
        log_retention_days=written.log_retention_days,
        allow_from=tuple(written.allow_from),
        private=tuple(written.private),
        waf_acl=written.waf_acl,
        domain=DomainPlan(domain.name, domain.certificate) if domain else None,
        integration_timeout_seconds=written.integration_timeout,
        jobs=written.jobs,
    )
