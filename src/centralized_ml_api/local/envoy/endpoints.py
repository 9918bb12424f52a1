"""The ports of an upstream that are ready now, as Envoy's load assignment (EDS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from centralized_ml_api.local.gateway import Upstream

LOAD_ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"


def build_endpoints(upstream: Upstream) -> dict[str, Any]:
    """The load assignment of a local upstream; without ports its calls answer 503."""
    ports = sorted(set(upstream.ports))
    return {
        "@type": LOAD_ASSIGNMENT,
        "cluster_name": upstream.name,
        "endpoints": [{"lb_endpoints": [build_endpoint("127.0.0.1", port) for port in ports]}],
    }


def build_endpoint(host: str, port: int) -> dict[str, Any]:
    """One server, by address or by name."""
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
