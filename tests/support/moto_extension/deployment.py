"""The gap: `Ref` of a Deployment is not its id, and a removed one stays with its API."""

from __future__ import annotations

from typing import Any

from moto.apigateway.models import Deployment, apigateway_backends

from support.moto_extension.replaced import replace_attribute, replace_class_method


def close() -> None:
    """A Deployment is known by its id, and goes when its resource goes."""
    replace_attribute(Deployment, "physical_resource_id", property(lambda self: self.id))
    replace_class_method(Deployment, "delete_from_cloudformation_json", _delete)


def _delete(cls: type[Deployment], name: str, resource: Any, account_id: str, region: str) -> None:
    del cls, resource
    for api in apigateway_backends[account_id][region].apis.values():
        api.deployments.pop(name, None)
