"""The gap: moto crashes on a model without `PrimaryContainer`, and forgets `EnableNetworkIsolation`."""

from __future__ import annotations

from typing import Any

from moto.sagemaker.models import Model, sagemaker_backends

from support.moto_extension.replaced import replace_class_method


def close() -> None:
    """Models are created with everything that the template says."""
    replace_class_method(Model, "create_from_cloudformation_json", _create)


def _create(cls: type[Model], name: str, resource: Any, account_id: str, region: str, **_: Any) -> Model:
    del cls
    properties = resource["Properties"]
    model = sagemaker_backends[account_id][region].create_model(
        model_name=name,
        execution_role_arn=properties["ExecutionRoleArn"],
        primary_container=properties.get("PrimaryContainer"),
        vpc_config=properties.get("VpcConfig"),
        containers=properties.get("Containers"),
        tags=properties.get("Tags"),
    )
    model.enable_network_isolation = properties.get("EnableNetworkIsolation", False)
    return model
