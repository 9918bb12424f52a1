"""The REST API: one OpenAPI document, one stage, throttled and logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnMapping, CfnResource
from constructs import Construct

from centralized_ml_api.aws.constructs.account_logging import build_account_logging
from centralized_ml_api.aws.constructs.api_deployment import build_deployment
from centralized_ml_api.aws.constructs.log_group import build_log_group
from centralized_ml_api.aws.document.shared_texts import is_large, repeated_texts, replace_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Stack

    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.event import Throttle

STAGE = "prod"

_NAME = "Api"
"""Of the construct: a part of logical ids."""

ACCESS_LOG: dict[str, str] = {
    "time": "$context.requestTime",
    "request_id": "$context.requestId",
    "team": "$context.identity.apiKeyId",
    "method": "$context.httpMethod",
    "model": "$context.resourcePath",
    "status": "$context.status",
    "milliseconds": "$context.responseLatency",
    "model_milliseconds": "$context.integrationLatency",
    "model_status": "$context.integration.status",
    "bytes": "$context.responseLength",
    "error": "$context.error.responseType",
}
"""One line a request. No body and no key: neither may be written down.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""


class HttpApi(Construct):
    """`url` is where participants send their requests; it ends with a slash.

    `id` and `stage` are API Gateway's names of the API and of its stage.

    The CDK's classes for an API take longer to load than all of it takes to build; their logical ids stay.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        document: Mapping[str, Any],
        throttle: Throttle,
        log_retention_days: int,
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        if is_large(document):
            document = self._share_texts(document, stack_context.stack)
        log = build_log_group(self, "AccessLog", log_retention_days)
        whole = Construct(self, _NAME)
        api = _build_api(whole, document, stack_context.stack_name)
        self.id = api.ref
        deployment = build_deployment(
            whole, "Deployment", api_id=self.id, document=document, stack=stack_context.stack
        )
        stage = _build_stage(whole, deployment, {**_settings(throttle, log), "RestApiId": self.id})
        stage.add_resource_dependency(build_account_logging(whole, after=api, stack_context=stack_context))
        self.stage = stage.ref
        self.url = _url(stack_context, self.id, self.stage)

    def _share_texts(self, document: Mapping[str, Any], stack: Stack) -> Mapping[str, Any]:
        """The document with its repeated texts in a mapping of the template."""
        texts = repeated_texts(document)
        mapping = CfnMapping(self, "Texts", mapping={key: {"Text": text} for key, text in texts.items()})
        # Not `mapping.find_in_map`: its strings would each be searched for tokens, again and again.
        name = stack.resolve(mapping.logical_id)
        places = {text: {"Fn::FindInMap": [name, key, "Text"]} for key, text in texts.items()}
        shared: Mapping[str, Any] = replace_texts(document, places.get)
        return shared


def _build_api(scope: Construct, document: Mapping[str, Any], name: str) -> CfnResource:
    return CfnResource(
        scope,
        "Resource",
        type="AWS::ApiGateway::RestApi",
        properties={
            "Body": document,
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "Name": name,  # by which CloudWatch tells APIs apart
        },
    )


def _build_stage(scope: Construct, deployment: CfnResource, settings: dict[str, Any]) -> CfnResource:
    return CfnResource(
        Construct(scope, f"DeploymentStage.{STAGE}"),
        "Resource",
        type="AWS::ApiGateway::Stage",
        properties={"StageName": STAGE, "DeploymentId": deployment.ref, **settings},
    )


def _settings(throttle: Throttle, log: CfnResource) -> dict[str, Any]:
    """For every path and method alike."""
    return {
        "AccessLogSetting": {"DestinationArn": log.get_att("Arn"), "Format": json.dumps(ACCESS_LOG)},
        "MethodSettings": [
            {
                "HttpMethod": "*",
                "ResourcePath": "/*",
                "DataTraceEnabled": False,
                "ThrottlingRateLimit": throttle.requests_per_second,
                "ThrottlingBurstLimit": throttle.burst,
            }
        ],
    }


def _url(stack_context: StackContext, api: str, stage: str) -> str:
    suffix = stack_context.stack.url_suffix
    return f"https://{api}.execute-api.{stack_context.region}.{suffix}/{stage}/"
