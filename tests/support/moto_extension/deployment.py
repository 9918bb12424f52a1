"""The gap: `Ref` of a Deployment is not its id, and a removed one stays with its API."""

from __future__ import annotations

from typing import Any

from moto.apigateway.models import Deployment, apigateway_backends


def close() -> None:
    """A Deployment is known by its id, and goes when its resource goes."""
    Deployment.physical_resource_id = property(lambda self: self.id)  # type: ignore[attr-defined]
    Deployment.delete_from_cloudformation_json = classmethod(_delete)  # type: ignore[method-assign, assignment]


def _delete(cls: type[Deployment], name: str, resource: Any, account_id: str, region: str) -> None:
    del cls, resource
    for api in apigateway_backends[account_id][region].apis.values():
        api.deployments.pop(name, None)
