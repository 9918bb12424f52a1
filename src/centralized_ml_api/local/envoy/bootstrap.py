"""Builds the file that Envoy starts with; everything that changes later is in the xDS files that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.admission import build_admission_cluster
from centralized_ml_api.local.envoy.listener import build_listener
from centralized_ml_api.local.envoy.settings import ADMIN_SOCKET, build_config_source
from centralized_ml_api.local.envoy.stats import build_stats_config

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Settings

_ADMIN_PATHS = r"/(ready|listeners|stats|stats/prometheus|drain_listeners|reopen_logs)(\?.*)?"
"""Only what is used, with any query; nothing that stops Envoy, shows its configuration or writes files."""


def build_bootstrap(settings: Settings) -> dict[str, Any]:
    """Builds the bootstrap; the admin interface is on a private socket. Pure."""
    return {
        "node": {"id": "gateway", "cluster": "gateway"},
        "admin": {
            "address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}},
            "allow_paths": [{"safe_regex": {"regex": _ADMIN_PATHS}}],
            "ignore_global_conn_limit": True,
        },
        "stats_config": build_stats_config(),
        "stats_flush_interval": "1s",  # how old a histogram may be
        "static_resources": {
            "listeners": [build_listener(settings)],
            "clusters": [build_admission_cluster()],
        },
        "dynamic_resources": {"cds_config": build_config_source(settings.files.clusters)},
        "layered_runtime": {"layers": [{"name": "static", "static_layer": _build_runtime()}]},
        "overload_manager": _build_overload_manager(settings.limits.connections),
    }


def _build_runtime() -> dict[str, Any]:
    """Allows long regular expressions (see `headers`); the default limit is 100 steps."""
    return {"re2": {"max_program_size": {"error_level": 1_000_000, "warn_level": 1_000_000}}}


def _build_overload_manager(connections: int) -> dict[str, Any]:
    """Limits simultaneous clients; without this Envoy accepts connections until file descriptors run out."""
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
