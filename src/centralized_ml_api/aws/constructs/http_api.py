"""The REST API: one OpenAPI document, one stage, throttled and logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnMapping, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from centralized_ml_api.aws.constructs.log_group import build_log_group
from centralized_ml_api.aws.document.shared_texts import is_large, repeated_texts, replace_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from centralized_ml_api.plan.event import Throttle

STAGE = "prod"

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
    """`url` is where participants send their requests; it ends with a slash."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        document: Mapping[str, Any],
        throttle: Throttle,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        if is_large(document):
            document = self._share_texts(document)
        log = build_log_group(self, "AccessLog", log_retention_days)
        self.api = apigateway.SpecRestApi(
            self,
            "Api",
            api_definition=apigateway.ApiDefinition.from_inline(document),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # API Gateway writes logs by one role for the whole account and region.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.DESTROY,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=throttle.requests_per_second,
                throttling_burst_limit=throttle.burst,
                access_log_destination=apigateway.LogGroupLogDestination(log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG)),
            ),
        )
        self.api.node.try_remove_child("Endpoint")  # its own output, under a name that nobody can know
        self.url = self.api.url

    def _share_texts(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The document with its repeated texts in a mapping of the template."""
        texts = repeated_texts(document)
        mapping = CfnMapping(self, "Texts", mapping={key: {"Text": text} for key, text in texts.items()})
        # Not `mapping.find_in_map`: its strings would each be searched for tokens, again and again.
        name = Stack.of(self).resolve(mapping.logical_id)
        places = {text: {"Fn::FindInMap": [name, key, "Text"]} for key, text in texts.items()}
        shared: Mapping[str, Any] = replace_texts(document, places.get)
        return shared
