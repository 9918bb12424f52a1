"""The gaps: an update that keeps a parameter's value crashes moto where the value was the template's default;
and a parameter in the Parameter Store is described by its content, not by its name.

`cdk deploy` keeps them all; the parameter is the version of the bootstrap stack, in the Parameter Store.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Parameter.html (ResolvedValue)
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation.models import CloudFormationBackend, Stack

from support.moto_extension.replaced import replace_attribute


def close() -> None:
    """What was never given stays not given, so that the default counts again."""
    resolve = CloudFormationBackend._resolve_update_parameters  # noqa: SLF001  # it is moto that is extended

    def resolve_given(
        self: CloudFormationBackend, instance: Stack, incoming_params: list[dict[str, Any]]
    ) -> dict[str, str]:
        given = [parameter for parameter in incoming_params if not _is_default(parameter, instance)]
        return resolve(self, instance, given)

    replace_attribute(CloudFormationBackend, "_resolve_update_parameters", resolve_given)
    replace_attribute(Stack, "parameter_list", property(_describe))


def _describe(stack: Stack) -> list[dict[str, Any]]:
    given, resolved = stack.resource_map.input_parameters, stack.stack_parameters
    written = stack.template_dict.get("Parameters", {})
    names = {
        key: given.get(key, written[key].get("Default"))
        for key in resolved
        if written[key].get("Type", "").startswith("AWS::SSM::Parameter::")
    }
    return [{"ParameterKey": key, "ParameterValue": names.get(key, resolved[key])} for key in resolved]


def _is_default(parameter: dict[str, Any], stack: Stack) -> bool:
    return bool(parameter.get("UsePreviousValue")) and parameter["ParameterKey"] not in stack.parameters
