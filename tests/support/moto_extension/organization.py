"""The gap: moto has no service control policies (SCPs).

An organization denies what an account would allow. A test names in a parameter what it demands, as JSON:
`boundary` (an ARN), `tags` (keys), `private` and `vpc` (true); all are optional. What is created without it
fails in AWS's words, and the stack is rolled back. Only stacks without nested ones can be.

Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html, and
for the conditions https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
(`iam:PermissionsBoundary`), …/list_awslambda.html (`lambda:VpcIds`), …/list_amazonsagemaker.html
(`sagemaker:VpcSubnets`) and …/list_amazonapigatewaymanagement.html (`apigateway:Request/EndpointType`)
"""

from __future__ import annotations

import copy
import functools
import json
from typing import TYPE_CHECKING, Any

from moto.cloudformation import parsing
from moto.cloudformation.models import Event, Stack
from moto.ssm.models import ssm_backends

from support.moto_extension.replaced import replace_attribute
from support.moto_extension.stack_tags import current_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEMANDS = "/test/organization"
"""The parameter."""

_ACTIONS = {
    "AWS::IAM::Role": ("iam:CreateRole", "arn:aws:iam::{account}:role/{name}"),
    "AWS::Lambda::Function": ("lambda:CreateFunction", "arn:aws:lambda:{region}:{account}:function:{name}"),
    "AWS::SageMaker::Model": ("sagemaker:CreateModel", "arn:aws:sagemaker:{region}:{account}:model/{name}"),
    "AWS::SageMaker::EndpointConfig": (
        "sagemaker:CreateEndpointConfig",
        "arn:aws:sagemaker:{region}:{account}:endpoint-config/{name}",
    ),
    "AWS::SageMaker::Endpoint": (
        "sagemaker:CreateEndpoint",
        "arn:aws:sagemaker:{region}:{account}:endpoint/{name}",
    ),
    "AWS::ApiGateway::RestApi": ("apigateway:POST", "arn:aws:apigateway:{region}::/restapis"),
    "AWS::ApiGateway::ApiKey": ("apigateway:POST", "arn:aws:apigateway:{region}::/apikeys"),
    "AWS::ApiGateway::UsagePlan": ("apigateway:POST", "arn:aws:apigateway:{region}::/usageplans"),
    "AWS::Logs::LogGroup": ("logs:CreateLogGroup", "arn:aws:logs:{region}:{account}:log-group:{name}"),
}
"""What needs tags: the action that creates it, and on which resource."""


def close() -> None:
    """What the organization forbids is not created."""
    replace_attribute(parsing, "parse_and_create_resource", _denying(parsing.parse_and_create_resource))
    replace_attribute(Stack, "create_resources", _rolling_back(Stack.create_resources))


def is_allowed(
    kind: str, properties: Mapping[str, Any], tags: Mapping[str, str], demands: Mapping[str, Any]
) -> bool:
    """Returns whether the organization lets a resource be created.

    Args:
        kind: its type, as CloudFormation names it.
        properties: as they are in the template, without references.
        tags: those that CloudFormation creates it with.
        demands: of the organization.
    """
    if kind not in _ACTIONS:
        return True
    endpoints = properties.get("EndpointConfiguration", {}).get("Types", [])
    return (
        set(demands.get("tags", [])) <= set(tags)
        and (
            kind != "AWS::IAM::Role"
            or demands.get("boundary") in {None, properties.get("PermissionsBoundary")}
        )
        and (kind != "AWS::ApiGateway::RestApi" or not demands.get("private") or endpoints == ["PRIVATE"])
        and (
            kind not in {"AWS::Lambda::Function", "AWS::SageMaker::Model"}
            or not demands.get("vpc")
            or "VpcConfig" in properties
        )
    )


class _DeniedError(Exception):
    """The organization forbids to create a resource; says what CloudFormation says."""

    def __init__(self, logical_id: str, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.logical_id, self.kind = logical_id, kind


def _denying(create: Callable[..., Any]) -> Callable[..., Any]:
    """The function that creates a resource, so that it refuses what is forbidden."""

    @functools.wraps(create)
    def denying(
        logical_id: str, resource: Any, resources: parsing.ResourceMap, account_id: str, region_name: str
    ) -> Any:
        demands = _demands(account_id, region_name)
        if demands:
            written = copy.deepcopy(resource.get("Properties", {}))
            properties: Any = parsing.clean_json(written, resources)
            own = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", []) if isinstance(tag, dict)}
            tags = {**current_tags(resources), **own}
            if not is_allowed(resource["Type"], properties, tags, demands):
                reason = _reason(resource["Type"], f"{resources['AWS::StackName']}-{logical_id}", account_id)
                raise _DeniedError(logical_id, resource["Type"], reason.replace("{region}", region_name))
        return create(logical_id, resource, resources, account_id=account_id, region_name=region_name)

    return denying


def _demands(account_id: str, region: str) -> dict[str, Any]:
    backend = ssm_backends[account_id][region]
    if DEMANDS not in backend._parameters:  # noqa: SLF001  # it is moto that is extended
        return {}
    found: dict[str, Any] = json.loads(backend._parameters[DEMANDS][-1].value)  # noqa: SLF001
    return found


def _reason(kind: str, name: str, account: str) -> str:
    """What CloudFormation says, with `{region}` for the region."""
    action, resource = _ACTIONS[kind]
    service = kind.split("::")[1]
    resource = resource.replace("{account}", account).replace("{name}", name)
    role = f"cdk-acme-cfn-exec-role-{account}-{{region}}"
    return (
        f'Resource handler returned message: "User: arn:aws:sts::{account}:assumed-role/{role}'
        f"/AWSCloudFormation is not authorized to perform: {action} on resource: {resource} with an explicit"
        " deny in a service control policy: arn:aws:organizations::111122223333:policy/o-example"
        "/service_control_policy/p-example"
        f' (Service: {service}, Status Code: 403, Request ID: 2777a266)" (HandlerErrorCode: AccessDenied)'
    )


def _rolling_back(create: Callable[[Stack], None]) -> Callable[[Stack], None]:
    """The method that creates a stack, so that one that is denied something is rolled back."""

    @functools.wraps(create)
    def rolling_back(self: Stack) -> None:
        try:
            create(self)
        except _DeniedError as denied:
            self.events.append(
                Event(
                    stack_id=self.stack_id,
                    stack_name=self.name,
                    logical_resource_id=denied.logical_id,
                    physical_resource_id="",
                    resource_type=denied.kind,
                    resource_status="CREATE_FAILED",
                    resource_status_reason=str(denied),
                    resource_properties=None,
                )
            )
            self.resource_map.delete()
            self.template_dict = {**self.template_dict, "Resources": {}, "Outputs": {}}  # or looking creates
            self.resource_map._resource_json_map = {}  # noqa: SLF001  # it is moto that is extended
            self.output_map = self._create_output_map()
            said = f"The following resource(s) failed to create: [{denied.logical_id}]."
            self._add_stack_event("ROLLBACK_IN_PROGRESS", resource_status_reason=said)
            self._add_stack_event("ROLLBACK_COMPLETE")
            self.status = "ROLLBACK_COMPLETE"

    return rolling_back
