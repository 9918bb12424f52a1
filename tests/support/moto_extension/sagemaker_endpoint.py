"""The gap: moto deletes an endpoint and makes a new one where SageMaker moves it to another configuration.

It also refuses nothing. SageMaker refuses the configuration that the endpoint is on already, and another
instance type while Application Auto Scaling scales the variant. A deleted endpoint is scaled no more.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
and https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
"""

from __future__ import annotations

from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend, sagemaker_backends

from support.moto_extension.replaced import replace_attribute, replace_class_method

ROLLS_BACK = "test:rolls-back"
"""A tag that a test gives to an endpoint: its next update comes back in service where it was, silently."""


def close() -> None:
    """An update keeps the endpoint: same name, same ARN, same creation time."""
    replace_class_method(FakeEndpoint, "update_from_cloudformation_json", _update)
    delete = SageMakerModelBackend.delete_endpoint

    def delete_with_scaling(self: SageMakerModelBackend, endpoint_name: str) -> None:
        delete(self, endpoint_name)
        _deregister(self, endpoint_name)

    replace_attribute(SageMakerModelBackend, "delete_endpoint", delete_with_scaling)


def _deregister(backend: SageMakerModelBackend, endpoint_name: str) -> None:
    scaling = applicationautoscaling_backends[backend.account_id][backend.region_name]
    begins = f"endpoint/{endpoint_name}/variant/"
    for targets in scaling.targets.values():
        for resource in [each for each in targets if each.startswith(begins)]:
            del targets[resource]
    for key in [key for key, policy in scaling.policies.items() if policy.resource_id.startswith(begins)]:
        del scaling.policies[key]


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
    config = cloudformation_json["Properties"]["EndpointConfigName"]
    _refuse_same(original_resource, config)
    scaled = applicationautoscaling_backends[account_id][region_name].targets
    _refuse_other_type(backend, original_resource, config, scaled)
    name = original_resource.endpoint_name
    if any(tag["Key"] == ROLLS_BACK for tag in backend.endpoints[name].tags):
        return original_resource
    former = backend.endpoints.pop(name)
    endpoint = backend.create_endpoint(endpoint_name=name, endpoint_config_name=config, tags=former.tags)
    endpoint.creation_time = former.creation_time
    return endpoint


def _refuse_same(endpoint: FakeEndpoint, config: str) -> None:
    if endpoint.endpoint_config_name == config:
        raise ValidationError(
            message=f'Cannot update endpoint with the currently in use endpoint configuration "{config}"'
        )


def _refuse_other_type(
    backend: SageMakerModelBackend, endpoint: FakeEndpoint, config: str, scaled: Any
) -> None:
    before, after = (_instance_types(backend, name) for name in (endpoint.endpoint_config_name, config))
    resources = {
        variant: f"endpoint/{endpoint.endpoint_name}/variant/{variant}"
        for variant, types in before.items()
        if after.get(variant) != types
    }
    registered = {resource for targets in scaled.values() for resource in targets}
    refused = [variant for variant, resource in resources.items() if resource in registered]
    if refused:
        named = ", ".join(f'"{variant}"' for variant in refused)
        raise ValidationError(
            message=f"The variant(s) [{named}] must be deregistered as scalable targets with AWS Application"
            " Auto Scaling before they can be removed or have their instance type updated."
        )


def _instance_types(backend: SageMakerModelBackend, config: str) -> dict[str, object]:
    variants = backend.endpoint_configs[config].production_variants
    return {each["VariantName"]: (each.get("InstanceType"), each.get("InstancePools")) for each in variants}
