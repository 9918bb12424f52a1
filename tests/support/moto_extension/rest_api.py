"""The gap: moto ignores the `Body` of a RestApi, cannot update one and leaves it behind when its stack goes.

The document goes to moto's own `put_rest_api`. What that leaves out of an import is put beside it: binary
media types, gateway responses, request parameters, the resource policy, `x-amazon-apigateway-any-method` and
`responseTransferMode`.
"""

from __future__ import annotations

import json
from typing import Any

from moto.apigateway.models import Integration, RestAPI, apigateway_backends

from support.moto_extension.replaced import function_of, replace_attribute, replace_class_method

_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}


def close() -> None:
    """A RestApi is created, updated and deleted as CloudFormation does it."""
    create = function_of(RestAPI, "create_from_cloudformation_json")

    def create_with_body(
        cls: type[RestAPI], name: str, resource: Any, account_id: str, region: str, **more: Any
    ) -> RestAPI:
        properties = resource["Properties"]
        title = properties.get("Body", {}).get("info", {}).get("title", name)
        named = {"Properties": {"Name": title, **properties}}
        made: RestAPI = create(cls, name, named, account_id, region, **more)
        return _write(made, properties)

    replace_class_method(RestAPI, "create_from_cloudformation_json", create_with_body)
    replace_class_method(RestAPI, "update_from_cloudformation_json", _update)
    replace_attribute(RestAPI, "delete", _delete)
    to_json = Integration.to_json

    def to_json_with_mode(self: Integration) -> dict[str, Any]:
        return {**to_json(self), "responseTransferMode": getattr(self, "transfer_mode", "BUFFERED")}

    replace_attribute(Integration, "to_json", to_json_with_mode)


def _update(  # noqa: PLR0917  # moto's own signature
    cls: type[RestAPI],
    original_resource: RestAPI,
    new_resource_name: str,
    cloudformation_json: Any,
    account_id: str,
    region_name: str,
) -> RestAPI:
    del cls, new_resource_name, account_id, region_name
    return _write(original_resource, cloudformation_json["Properties"])


def _delete(self: RestAPI, account_id: str, region: str) -> None:
    apigateway_backends[account_id][region].delete_rest_api(self.id)


def _write(api: RestAPI, properties: dict[str, Any]) -> RestAPI:
    document = properties.get("Body")
    reached = properties.get("EndpointConfiguration", {})
    api.endpoint_configuration = {
        "types": reached.get("Types", ["EDGE"]),
        "vpcEndpointIds": reached.get("VpcEndpointIds", []),
    }
    api.tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    if document:
        _import(api, document)
    return api


def _import(api: RestAPI, document: dict[str, Any]) -> None:
    backend = apigateway_backends[api.account_id][api.region_name]
    operations = {**document, "paths": {path: _methods(item) for path, item in document["paths"].items()}}
    backend.put_rest_api(api.id, operations, fail_on_warnings=False, mode="overwrite")
    _set_transfer_modes(api, operations["paths"])
    api.root_resource_id = api.default.id
    api.binaryMediaTypes = document.get("x-amazon-apigateway-binary-media-types", [])
    api.api_key_source = document.get("x-amazon-apigateway-api-key-source", "HEADER")
    policy = document.get("x-amazon-apigateway-policy")
    api.policy = json.dumps(policy) if policy else None
    api.gateway_responses = {}
    for kind, response in document.get("x-amazon-apigateway-gateway-responses", {}).items():
        status, parameters, templates = (
            response.get(key) for key in ("statusCode", "responseParameters", "responseTemplates")
        )
        api.put_gateway_response(kind, status, parameters, templates)


def _set_transfer_modes(api: RestAPI, paths: dict[str, Any]) -> None:
    for path, item in paths.items():
        for method, operation in item.items():
            mode = operation[_INTEGRATION].get("responseTransferMode")
            if mode:
                made = api.get_resource_for_path(path).get_method(method.upper())
                replace_attribute(made.method_integration, "transfer_mode", mode)


def _methods(item: dict[str, Any]) -> dict[str, Any]:
    """Only the methods of a path: moto takes every key for one."""
    known = {key: _operation(value) for key, value in item.items() if key in _METHODS}
    return {**known, "any": _operation(item[_ANY])} if _ANY in item else known


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    """With the words as API Gateway gives them back, and with what moto requires even of a mock."""
    written = operation.get(_INTEGRATION, {"type": "mock"})
    upper = {key: written[key].upper() for key in ("type", "passthroughBehavior") if key in written}
    return {**operation, _INTEGRATION: {"uri": "", "httpMethod": "POST", **written, **upper}}
