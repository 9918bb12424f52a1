"""The gap: an update that keeps a parameter's value crashes moto where the value was the template's default.

`cdk deploy` keeps them all; the parameter is the version of the bootstrap stack, in the Parameter Store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import CloudFormationBackend

from support.moto_extension.replaced import replace_attribute

if TYPE_CHECKING:
    from moto.cloudformation.models import Stack


def close() -> None:
    """What was never given stays not given, so that the default counts again."""
    resolve = CloudFormationBackend._resolve_update_parameters  # noqa: SLF001  # it is moto that is extended

    def resolve_given(
        self: CloudFormationBackend, instance: Stack, incoming_params: list[dict[str, Any]]
    ) -> dict[str, str]:
        given = [parameter for parameter in incoming_params if not _is_default(parameter, instance)]
        return resolve(self, instance, given)

    replace_attribute(CloudFormationBackend, "_resolve_update_parameters", resolve_given)


def _is_default(parameter: dict[str, Any], stack: Stack) -> bool:
    return bool(parameter.get("UsePreviousValue")) and parameter["ParameterKey"] not in stack.parameters
