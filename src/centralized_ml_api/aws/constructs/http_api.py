"""The REST API: one OpenAPI document, one stage, throttled and logged."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnCondition, CfnMapping, CfnParameter, CfnResource, Fn, RemovalPolicy
from constructs import Construct

from centralized_ml_api.api.http import JOIN_PATH
from centralized_ml_api.aws.constructs.resources import (
    build_log_group,
    build_resource,
    build_role,
    role_arn,
)
from centralized_ml_api.aws.document.shared_texts import is_large, repeated_texts, replace_texts
from centralized_ml_api.aws.stack.contract import LOG_ROLE_PARAMETER
from centralized_ml_api.plan.event import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import Stack

    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.account import AccountPlan, DomainPlan

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
"""One line a request, without bodies and keys: neither may be written down.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

JOIN_THROTTLE = Throttle(requests_per_second=20, burst=100)
"""The requests to join that all callers together may send, each of which runs a function."""

_TOKEN = re.compile(r"\$\{Token\[[^\]]+\]\}")
"""What the CDK writes into a text for a value that only the deployment knows.

Its number changes with whatever else is in the stack.
Source: https://docs.aws.amazon.com/cdk/v2/guide/tokens.html
"""

_LOGGING_POLICY = "iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


_TEXTS, _TEXT = "Texts", "T"
"""The mapping of shared texts and its one attribute: short, because each path names them ten times."""


class HttpApi(Construct):
    """The API of a document; the CDK's classes for it take longer to load than all of it takes to build.

    `url` is where participants send their requests, with a slash at its end; `domain_target` is what a name
    of your own must be a CNAME of; `id` and `stage` are API
    Gateway's names of the API and of its stage. `after` must exist before the API changes.
    `joins` says whether teams may join.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        document: Mapping[str, Any],
        throttle: Throttle,
        account: AccountPlan,
        stack_context: StackContext,
        after: Iterable[CfnResource] = (),
        joins: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = stack_context.stack
        if is_large(document):
            document = self._share_texts(document)
        log = build_log_group(self, "AccessLog", stack_context.log_retention_days)
        parent = Construct(self, "Api")  # its name is a part of logical ids
        api = CfnResource(
            parent,
            "Resource",
            type="AWS::ApiGateway::RestApi",
            properties={
                "Body": document,
                "EndpointConfiguration": _endpoint_configuration(account),
                "Name": stack_context.stack_name,  # by which CloudWatch tells APIs apart
            },
        )
        for needed in after:
            api.add_resource_dependency(needed)
        self.id = api.ref
        deployment = _build_deployment(parent, api_id=self.id, document=document, stack=stack)
        logging = _build_account_logging(parent, after=api, stack_context=stack_context)
        settings = {
            **_stage_settings(throttle, log, joins=joins),
            "RestApiId": self.id,
            "Description": logging,
        }
        stage = build_resource(
            parent,
            f"DeploymentStage.{STAGE}",
            "AWS::ApiGateway::Stage",
            {"StageName": STAGE, "DeploymentId": deployment.ref, **settings},
        )
        self.stage = stage.ref
        # A private API has an address with each of its VPC endpoints, which works without private DNS.
        name = f"{self.id}-{account.private[0]}" if account.private else self.id
        host = f"{name}.execute-api.{stack_context.region}.{stack.url_suffix}"
        self.domain_target = self._build_domain(account.domain) if account.domain else None
        self.url = f"https://{account.domain.name if account.domain else host}/{self.stage}/"
        if account.waf_acl:
            stage_arn = f"arn:{stack_context.partition}:apigateway:{stack_context.region}::"
            properties = {
                "ResourceArn": f"{stage_arn}/restapis/{self.id}/stages/{self.stage}",
                "WebACLArn": account.waf_acl,
            }
            CfnResource(self, "Filter", type="AWS::WAFv2::WebACLAssociation", properties=properties)

    def _build_domain(self, domain: DomainPlan) -> str:
        """Builds the name, with the API below `/prod` as at its own address; returns where DNS must lead."""
        name = CfnResource(
            self,
            "Domain",
            type="AWS::ApiGateway::DomainName",
            properties={
                "DomainName": domain.name,
                "RegionalCertificateArn": domain.certificate,
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "SecurityPolicy": "TLS_1_2",
            },
        )
        mapping = {"DomainName": name.ref, "RestApiId": self.id, "Stage": self.stage, "BasePath": STAGE}
        CfnResource(self, "DomainMapping", type="AWS::ApiGateway::BasePathMapping", properties=mapping)
        return name.get_att("RegionalDomainName").to_string()

    def _share_texts(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the document with its repeated texts in a mapping of the template."""
        texts = repeated_texts(document)
        mapping = CfnMapping(self, "Texts", mapping={key: {_TEXT: text} for key, text in texts.items()})
        mapping.override_logical_id(_TEXTS)
        # Not `mapping.find_in_map`: the CDK would search each of its strings for tokens, again and again.
        references = {text: {"Fn::FindInMap": [_TEXTS, key, _TEXT]} for key, text in texts.items()}
        shared: Mapping[str, Any] = replace_texts(document, references.get)
        return shared


def _endpoint_configuration(account: AccountPlan) -> dict[str, Any]:
    if account.private:
        return {"Types": ["PRIVATE"], "VpcEndpointIds": [*account.private]}
    return {"Types": ["REGIONAL"]}


def _stage_settings(throttle: Throttle, log: CfnResource, *, joins: bool) -> dict[str, Any]:
    """Builds the settings that apply to every path and method, and those of joining, which needs no key."""
    joining = [_method_settings("POST", f"/~1{JOIN_PATH.removeprefix('/')}", JOIN_THROTTLE)] if joins else []
    return {
        "AccessLogSetting": {"DestinationArn": log.get_att("Arn"), "Format": json.dumps(ACCESS_LOG)},
        "MethodSettings": [_method_settings("*", "/*", throttle), *joining],
    }


def _method_settings(method: str, path: str, throttle: Throttle) -> dict[str, Any]:
    """Builds the settings of a method and path, in which `~1` stands for a slash after the first.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html
    """
    return {
        "HttpMethod": method,
        "ResourcePath": path,
        "DataTraceEnabled": False,
        "ThrottlingRateLimit": throttle.requests_per_second,
        "ThrottlingBurstLimit": throttle.burst,
    }


def _build_deployment(
    scope: Construct, *, api_id: str, document: Mapping[str, Any], stack: Stack
) -> CfnResource:
    """Builds a deployment of the API, whose logical id ends with a fingerprint of the document.

    A deployment is a snapshot of the API: only a new one serves a changed document.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html
    """
    deployment = build_resource(scope, "Deployment", "AWS::ApiGateway::Deployment", {"RestApiId": api_id})
    deployment.override_logical_id(stack.get_logical_id(deployment) + _fingerprint(stack, document))
    deployment.add_metadata("aws:cdk:do-not-refactor", value=True)  # its id is no name
    return deployment


def _fingerprint(stack: Stack, document: Mapping[str, Any]) -> str:
    """Returns 32 hexadecimal digits; tokens count as what they stand for in the template."""
    text = json.dumps(document, sort_keys=True)
    tokens = list(dict.fromkeys(_TOKEN.findall(text)))
    meanings = dict(zip(tokens, stack.resolve(tokens), strict=True))
    plain = _TOKEN.sub(lambda found: json.dumps(meanings[found[0]], sort_keys=True), text)
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


def _build_account_logging(
    scope: Construct, *, after: CfnResource, stack_context: StackContext
) -> dict[str, Any]:
    """Builds the account's setting, without which no stage with an access log can be made, and its role.

    Both outlive the stack: the setting goes on naming the role, and the logs of every other API of the
    account and region depend on it. Neither costs anything. For the same reason `mlapi deploy` says `keep`
    where the setting already names a role that works: the stack then has neither.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html

    Args:
        scope: The construct that holds both.
        after: An API; before its first API, an account has no such setting.
        stack_context: Of the stack.

    Returns:
        A text that says which role it is. What has it waits for the setting, where the stack makes one.
    """
    role = build_role(
        scope,
        "CloudWatchRole",
        service="apigateway.amazonaws.com",
        managed=[f"arn:{stack_context.partition}:{_LOGGING_POLICY}"],
    )
    setting = CfnResource(
        scope, "Account", type="AWS::ApiGateway::Account", properties={"CloudWatchRoleArn": role_arn(role)}
    )
    setting.add_resource_dependency(after)
    is_made = _build_log_role_condition(stack_context.stack)
    for kept in (role, setting):
        kept.apply_removal_policy(RemovalPolicy.RETAIN)
        kept.cfn_options.condition = is_made
    made = f"Its logs are written by the role of {setting.ref}"
    # Not DependsOn, which cannot be conditional.
    return {"Fn::If": [is_made.logical_id, made, "Its logs are written by the account's own role"]}


def _build_log_role_condition(stack: Stack) -> CfnCondition:
    parameter = CfnParameter(
        stack,
        LOG_ROLE_PARAMETER,
        default="make",
        allowed_values=["make", "keep"],
        description="The role by which API Gateway writes the logs of all APIs of the account and region",
    )
    is_made = Fn.condition_equals(parameter.value_as_string, "make")
    return CfnCondition(stack, f"{LOG_ROLE_PARAMETER}IsMade", expression=is_made)
