"""The dynamic files: what Envoy reads again when one is renamed into place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.clusters import build_cluster
from centralized_ml_api.local.envoy.endpoints import build_endpoints
from centralized_ml_api.local.envoy.rate_limits import build_limits
from centralized_ml_api.local.envoy.routes import build_routes
from centralized_ml_api.local.gateway import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.local.envoy.settings import Settings
    from centralized_ml_api.local.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Document:
    """One dynamic file; `version` is a digest of what it says, so that the same content is the same one."""

    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a gateway is to Envoy: clusters by name, endpoints by their cluster, limits by filter, routes."""

    clusters: Mapping[str, dict[str, Any]]
    endpoints: Mapping[str, Document]
    routes: Document
    limits: Mapping[str, Document] = field(default_factory=dict)


def build_snapshot(gateway: Gateway, settings: Settings) -> Snapshot:
    """Everything dynamic, from a gateway. Pure."""
    upstreams = sorted(gateway.upstreams, key=lambda one: one.name)
    return Snapshot(
        clusters={one.name: build_cluster(one, settings) for one in upstreams},
        endpoints={
            one.name: build_document([build_endpoints(one)]) for one in upstreams if isinstance(one, Upstream)
        },
        routes=build_document([build_routes(gateway, settings.limits)]),
        limits={name: _build_limit(name, one) for name, one in build_limits(gateway).items()},
    )


def _build_limit(name: str, config: dict[str, Any]) -> Document:
    kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    return build_document([{"@type": kind, "name": name, "typed_config": config}])


def build_document(resources: Iterable[dict[str, Any]]) -> Document:
    """A discovery response with these resources, in this order."""
    listed = list(resources)
    version = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()[:16]
    text = json.dumps({"version_info": version, "resources": listed}, indent=1) + "\n"
    return Document(version, text)


NOTHING = Snapshot(clusters={}, endpoints={}, routes=Document(version="", text=""))
"""What an Envoy of which nothing is known has."""


def build_clusters_document(clusters: Mapping[str, dict[str, Any]]) -> Document:
    """The clusters file."""
    return build_document(clusters[name] for name in sorted(clusters))
