"""The gap: moto makes no name for a Parameter whose template gives none."""

from __future__ import annotations

from typing import Any

from moto.ssm.models import Parameter

from support.moto_extension.replaced import function_of, replace_class_method


def close() -> None:
    """It has a name of its own, which an update keeps."""
    create = function_of(Parameter, "create_from_cloudformation_json")

    def create_named(
        cls: type[Parameter], name: str, resource: Any, account_id: str, region: str, **more: Any
    ) -> Parameter:
        named = {"Properties": {"Name": f"CFN-{name}", **resource["Properties"]}}
        made: Parameter = create(cls, name, named, account_id, region, **more)
        return made

    def update(  # noqa: PLR0917  # moto's own signature
        cls: type[Parameter],
        original_resource: Parameter,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Parameter:
        del new_resource_name
        name = original_resource.name
        kept = {"Properties": {"Name": name, **cloudformation_json["Properties"], "Overwrite": True}}
        made: Parameter = create(cls, name, kept, account_id, region_name)
        return made

    replace_class_method(Parameter, "create_from_cloudformation_json", create_named)
    replace_class_method(Parameter, "update_from_cloudformation_json", update)
