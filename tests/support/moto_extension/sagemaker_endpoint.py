"""The gap: moto deletes an endpoint and makes a new one where SageMaker moves it to another configuration."""

from __future__ import annotations

from typing import Any

from moto.sagemaker.models import FakeEndpoint, sagemaker_backends

from support.moto_extension.replaced import replace_class_method


def close() -> None:
    """An update keeps the endpoint: same name, same ARN, same creation time."""
    replace_class_method(FakeEndpoint, "update_from_cloudformation_json", _update)


def _update(  # noqa: PLR0917  # moto's own signature
    cls: type[FakeEndpoint],
    original_resource: FakeEndpoint,
    new_resource_name: str,
    cloudformation_json: Any,
    account_id: str,
    region_name: str,
) -> FakeEndpoint:
    del cls, new_resource_name
    backend = sagemaker_backends[account_id][region_name]
    properties = cloudformation_json["Properties"]
    name = original_resource.endpoint_name
    created = backend.endpoints.pop(name).creation_time
    endpoint = backend.create_endpoint(
        endpoint_name=name,
        endpoint_config_name=properties["EndpointConfigName"],
        tags=properties.get("Tags", []),
    )
    endpoint.creation_time = created
    return endpoint
