"""The stack: one API and its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Environment, Stack

from centralized_ml_api.aws.constructs.centralized_ml_api import CentralizedMlApi
from centralized_ml_api.aws.outputs import DASHBOARD_OUTPUT, KEY_ENDS_OUTPUT, KEY_IDS_OUTPUT
from centralized_ml_api.aws.tags import STACK_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from centralized_ml_api.api.samples import Sample
    from centralized_ml_api.plan.aws.types import AwsPlan


OUTPUT = "MyApiEndpoint"
"""The key of the output with the address of the API."""

PAGE_OUTPUT = "CatalogueUrl"
"""The key of the output with the address of the page, which is that of the API, for people."""


class CentralizedMlApiStack(Stack):
    """Composes, nothing else. Its region is the plan's; `account` may be left to the deployment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: AwsPlan,
        account: str | None = None,
        samples: Mapping[str, Sample] | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=Environment(account=account, region=plan.region),
            description="One HTTP API with a path for each model",
            suppress_template_indentation=True,
            tags={STACK_TAG: construct_id},
        )
        self.api = CentralizedMlApi(self, "Api", plan=plan, samples=samples)
        CfnOutput(self, OUTPUT, value=self.api.url, description="Where participants send their requests")
        CfnOutput(self, PAGE_OUTPUT, value=self.api.url, description="Where participants try the models")
        if self.api.dashboard:
            CfnOutput(
                self,
                DASHBOARD_OUTPUT,
                value=self._dashboard_url(self.api.dashboard),
                description="What is called now",
            )
        if self.api.keys:
            ids = self.to_json_string(dict(self.api.keys.ids))
            CfnOutput(self, KEY_IDS_OUTPUT, value=ids, description="The ids of the teams' keys")
            role = self.api.keys.ending_role
            CfnOutput(self, KEY_ENDS_OUTPUT, value=role, description="Ends keys that were replaced")

    def _dashboard_url(self, name: str) -> str:
        console = f"https://{self.region}.console.aws.amazon.com/cloudwatch/home"
        return f"{console}?region={self.region}#dashboards/dashboard/{name}"
