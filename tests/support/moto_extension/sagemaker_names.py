"""The gap: moto ignores the names that a template gives, and lets a second one replace a first silently.

The real service refuses the second, which is what makes fixed names fail on an update.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, Model, SageMakerModelBackend

from support.moto_extension.replaced import replace_attribute

if TYPE_CHECKING:
    from collections.abc import Callable

_LISTS = {
    "create_model": ("_models", "model_name"),
    "create_endpoint_config": ("endpoint_configs", "endpoint_config_name"),
    "create_endpoint": ("endpoints", "endpoint_name"),
}

_NAMED_BY: dict[type, str] = {
    Model: "ModelName",
    FakeEndpoint: "EndpointName",
    FakeEndpointConfig: "EndpointConfigName",
}


def close() -> None:
    """A given name is used; one that is in use is refused."""
    for owner, named_by in _NAMED_BY.items():
        replace_attribute(owner, "cloudformation_name_type", staticmethod(_always(named_by)))
    for method, (existing, argument) in _LISTS.items():
        _refuse_second(method, existing, argument)


def _refuse_second(method: str, existing: str, argument: str) -> None:
    original = getattr(SageMakerModelBackend, method)

    def create(self: SageMakerModelBackend, **arguments: Any) -> Any:
        name = arguments[argument]
        if name in getattr(self, existing):
            raise ValidationError(message=f"Cannot create already existing {argument}: {name}")
        return original(self, **arguments)

    replace_attribute(SageMakerModelBackend, method, create)


def _always(text: str) -> Callable[[], str]:
    return lambda: text
