"""The stack: one API and its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Environment, Stack

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.aws.constructs.centralized_ml_api import CentralizedMlApi
from centralized_ml_api.aws.stack.contract import (
    ADDRESS_OUTPUT,
    DASHBOARD_OUTPUT,
    DOMAIN_TARGET_OUTPUT,
    JOINING_OUTPUT,
    KEY_ENDS_OUTPUT,
    KEY_IDS_OUTPUT,
    PAGE_OUTPUT,
    PROVIDER_SECRETS_OUTPUT,
    STACK_TAG,
    START_OUTPUT,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from centralized_ml_api.api.entry_details import Sample
    from centralized_ml_api.plan.aws.types import AwsPlan


class CentralizedMlApiStack(Stack):
    """One API and the outputs of its deployment. Its region is the plan's; `account` may be left open."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: AwsPlan,
        account: str | None = None,
        samples: Mapping[str, Sample] | None = None,
        logo: Sample | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(account=account, region=plan.region),
            description="One HTTP API with a path for each model",
            suppress_template_indentation=True,
            tags={**plan.api.account.tags, STACK_TAG: construct_id},
        )
        self.api = CentralizedMlApi(self, "Api", plan=plan, samples=samples, logo=logo)
        CfnOutput(
            self, ADDRESS_OUTPUT, value=self.api.url, description="Where participants send their requests"
        )
        CfnOutput(self, PAGE_OUTPUT, value=self.api.url, description="Where participants try the models")
        if plan.access.starts:
            starts = render_instant(plan.access.starts)
            CfnOutput(self, START_OUTPUT, value=starts, description="From when on keys work")
        if self.api.domain_target:
            target, what = self.api.domain_target, "Make your own name a CNAME of this"
            CfnOutput(self, DOMAIN_TARGET_OUTPUT, value=target, description=what)
        if self.api.dashboard:
            console = f"https://{self.region}.console.aws.amazon.com/cloudwatch/home?region={self.region}"
            url = f"{console}#dashboards/dashboard/{self.api.dashboard}"
            CfnOutput(self, DASHBOARD_OUTPUT, value=url, description="What is called now")
        if self.api.provider_secrets:
            arns = self.to_json_string(dict(self.api.provider_secrets))
            CfnOutput(self, PROVIDER_SECRETS_OUTPUT, value=arns, description="Where providers' keys belong")
        if self.api.keys:
            ids = self.to_json_string(dict(self.api.keys.ids))
            CfnOutput(self, KEY_IDS_OUTPUT, value=ids, description="The ids of the teams' keys")
            role = self.api.keys.ending_role
            CfnOutput(self, KEY_ENDS_OUTPUT, value=role, description="Ends keys that were replaced")
        if self.api.join_table:
            ends = plan.access.joining_ends
            until = render_instant(ends) if ends else ""
            joining = {"table": self.api.join_table, "places": len(plan.access.places), "until": until}
            CfnOutput(self, JOINING_OUTPUT, value=self.to_json_string(joining), description="Who has joined")
