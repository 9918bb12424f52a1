"""The REST API of a template: its OpenAPI document, with what CloudFormation would put in.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Template = Mapping[str, Any]

ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}
_HEADER = "method.response.header."


@dataclass(frozen=True)
class RestApi:
    """What API Gateway imports. A resource that CloudFormation names has its logical id for a name."""

    paths: Mapping[str, Mapping[str, Any]]
    binary_media_types: tuple[str, ...]
    gateway_responses: Mapping[str, Mapping[str, Any]]
    key_source: str = "HEADER"
    security_schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path, operations in self.paths.items():
            for method, operation in operations.items():
                _refuse_undeclared(f"{method} {path}", operation)


def read_document(template: Template) -> dict[str, Any]:
    """The document of the only REST API of the template."""
    (api,) = [
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::RestApi"
    ]
    document: dict[str, Any] = resolve(api["Properties"]["Body"], template)
    return document


def build_rest_api(document: Mapping[str, Any]) -> RestApi:
    """The parts of a document that decide over requests."""
    return RestApi(
        paths=document["paths"],
        binary_media_types=tuple(document.get("x-amazon-apigateway-binary-media-types", ())),
        gateway_responses=document.get("x-amazon-apigateway-gateway-responses", {}),
        key_source=document.get("x-amazon-apigateway-api-key-source", "HEADER"),
        security_schemes=document.get("components", {}).get("securitySchemes", {}),
    )


def resolve(value: Any, template: Template) -> Any:
    """The value with its intrinsic functions replaced by what they stand for."""
    if isinstance(value, list):
        return [resolve(item, template) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref" or function.startswith("Fn::"):
            return _evaluate(function, resolve(argument, template), template)
    return {key: resolve(item, template) for key, item in value.items()}


def _evaluate(function: str, argument: Any, template: Template) -> Any:
    match function:
        case "Ref":
            return PSEUDO_PARAMETERS.get(argument, argument)
        case "Fn::GetAtt":
            return _attribute(*argument, template=template)
        case "Fn::Join":
            return argument[0].join(argument[1])
        case "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda found: PSEUDO_PARAMETERS[found[1]], argument)
        case "Fn::FindInMap":
            name, key, entry = argument
            return template["Mappings"][name][key][entry]
    raise ValueError(f"{function} is not known here")


def _attribute(logical_id: str, attribute: str, *, template: Template) -> str:
    """An ARN, or the name that AWS would give: here the logical id."""
    if attribute != "Arn":
        return logical_id
    service = template["Resources"][logical_id]["Type"].split("::")[1].lower()
    return f"arn:aws:{service}:us-east-1:123456789012:function:{logical_id}"


def _refuse_undeclared(where: str, operation: Mapping[str, Any]) -> None:
    """A header can only be mapped to a method response that declares it; the import fails otherwise.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-response.html
    """
    for answer in operation.get(INTEGRATION, {}).get("responses", {}).values():
        declared = operation["responses"][answer["statusCode"]].get("headers", {})
        mapped = {name.removeprefix(_HEADER) for name in answer.get("responseParameters", {})}
        if undeclared := mapped - set(declared):
            raise ValueError(f"{where} maps headers that no method response declares: {undeclared}")
