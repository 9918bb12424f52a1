"""The gap: moto drops what a template says about a function's log group and tags."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaFunction

from support.moto_extension.replaced import function_of, replace_attribute, replace_class_method

_settings: dict[str, dict[str, Any]] = {}
"""`LoggingConfig` by the name of the function."""


def close() -> None:
    """A function keeps its logging configuration and its tags, so that they can be read back."""
    create = function_of(LambdaFunction, "create_from_cloudformation_json")
    configuration = LambdaFunction.get_configuration

    def create_with_settings(
        cls: type[LambdaFunction], name: str, resource: Any, account_id: str, region: str, **more: Any
    ) -> LambdaFunction:
        made: LambdaFunction = create(cls, name, resource, account_id, region, **more)
        properties = resource["Properties"]
        _settings[made.function_name] = properties.get("LoggingConfig", {})
        made.tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        return made

    def get_configuration(self: LambdaFunction, **more: Any) -> dict[str, Any]:
        logging = _settings.get(self.function_name)
        return {**configuration(self, **more), **({"LoggingConfig": logging} if logging else {})}

    replace_class_method(LambdaFunction, "create_from_cloudformation_json", create_with_settings)
    replace_attribute(LambdaFunction, "get_configuration", get_configuration)
