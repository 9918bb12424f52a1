"""The gap: moto ignores the names that a template gives, and lets a second one replace a first silently.

The real service refuses the second, which is what makes fixed names fail on an update.
"""

from __future__ import annotations

from typing import Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, Model, SageMakerModelBackend

_LISTS = {
    "create_model": ("_models", "model_name"),
    "create_endpoint_config": ("endpoint_configs", "endpoint_config_name"),
    "create_endpoint": ("endpoints", "endpoint_name"),
}


def close() -> None:
    """A given name is used; one that is in use is refused."""
    Model.cloudformation_name_type = staticmethod(lambda: "ModelName")  # type: ignore[method-assign]
    FakeEndpoint.cloudformation_name_type = staticmethod(lambda: "EndpointName")  # type: ignore[method-assign]
    FakeEndpointConfig.cloudformation_name_type = staticmethod(  # type: ignore[method-assign]
        lambda: "EndpointConfigName"
    )
    for method, (existing, argument) in _LISTS.items():
        _refuse_second(method, existing, argument)


def _refuse_second(method: str, existing: str, argument: str) -> None:
    original = getattr(SageMakerModelBackend, method)

    def create(self: SageMakerModelBackend, **arguments: Any) -> Any:
        name = arguments[argument]
        if name in getattr(self, existing):
            raise ValidationError(message=f"Cannot create already existing {argument}: {name}")
        return original(self, **arguments)

    setattr(SageMakerModelBackend, method, create)
