"""The file that Envoy starts with; everything that changes later is in the dynamic files it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.listener import build_listener, build_source
from centralized_ml_api.local.envoy.settings import ADMIN_SOCKET
from centralized_ml_api.local.envoy.traffic import PREFIX, build_buckets

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Settings

_ADMIN_PATHS = r"/(ready|listeners|stats|stats/prometheus|drain_listeners|reopen_logs)(\?.*)?"
"""All that is used, with any query, and nothing that stops Envoy, shows its configuration or writes files."""

_READ_STATISTICS = (
    {"prefix": f"{PREFIX}."},
    *(
        {"suffix": f".{name}"}
        for name in (
            *("upstream_rq_active", "downstream_rq_active"),  # calls under way
            *("version_text", "update_rejected", "warming_clusters"),  # what Envoy has taken: see `update`
        )
    ),
)
"""All that is ever asked for; Envoy's hundreds of others would cost every call and nobody reads them.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/metrics/v3/stats.proto
"""


def build_bootstrap(settings: Settings) -> dict[str, Any]:
    """The bootstrap: admin on a socket of this user's own, the listener, limits, the dynamic files."""
    return {
        "node": {"id": "gateway", "cluster": "gateway"},
        "admin": _admin(),
        "stats_config": {**build_buckets(), "stats_matcher": _stats_matcher()},
        "stats_flush_interval": "1s",  # how old a histogram may be
        "static_resources": {"listeners": [build_listener(settings)]},
        "dynamic_resources": {"cds_config": build_source(str(settings.files.clusters))},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": _runtime()}]},
        "overload_manager": _overload_manager(settings.limits.connections),
    }


def _admin() -> dict[str, Any]:
    return {
        "address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}},
        "allow_paths": [{"safe_regex": {"regex": _ADMIN_PATHS}}],
        "ignore_global_conn_limit": True,
    }


def _stats_matcher() -> dict[str, Any]:
    return {"inclusion_list": {"patterns": list(_READ_STATISTICS)}}


def _runtime() -> dict[str, Any]:
    """The complement of many header names is a long expression; Envoy's default limit is 100 steps."""
    return {"re2": {"max_program_size": {"error_level": 1_000_000, "warn_level": 1_000_000}}}


def _overload_manager(connections: int) -> dict[str, Any]:
    """Clients at once; without this Envoy takes connections until it has no file descriptors left."""
    monitor = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    return {
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"type.googleapis.com/{monitor}",
                    "max_active_downstream_connections": connections,
                },
            }
        ]
    }
