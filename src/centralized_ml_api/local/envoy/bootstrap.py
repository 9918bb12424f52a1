"""Builds the file that Envoy starts with; everything that changes later is in the xDS files that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.admission import build_admission_cluster
from centralized_ml_api.local.envoy.headers import LIST_MARK
from centralized_ml_api.local.envoy.listener import build_listener
from centralized_ml_api.local.envoy.settings import ADMIN_SOCKET, build_config_source
from centralized_ml_api.local.envoy.stats import build_stats_config
from centralized_ml_api.local.envoy.translator import build_translator_cluster

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.local.envoy.settings import Limits, Settings

_ADMIN_PATHS = r"/(ready|listeners|stats|stats/prometheus|drain_listeners|reopen_logs)(\?.*)?"
"""Only what is used, with any query; nothing that stops Envoy, shows its configuration or writes files."""

_REWRITTEN_BYTES = 2**30
_HEAP = "envoy.resource_monitors.fixed_heap"

_SMALL_TABLE_BYTES = 256 * 1024 * 1024
"""What a small table may hold of the memory of all calls: a quarter of it, or an eighth but for a reload."""

_HELD_PER_BYTE, _HELD_PER_LIST = 12, 180_000
"""Twice what Envoy holds for a byte of a table of routes, and for a list of headers: a reload holds two."""


def build_bootstrap(settings: Settings, tables: Iterable[str] = ()) -> dict[str, Any]:
    """Builds the bootstrap; the admin interface is on a private socket. Pure.

    Args:
        settings: What stays the same while Envoy runs.
        tables: The tables of routes that it starts with. What large ones need is not what calls hold. Limits
            of memory cannot change while Envoy runs: one that starts with few entries has no room for
            thousands.
    """
    needed = sum(_HELD_PER_BYTE * len(text) + _HELD_PER_LIST * text.count(LIST_MARK) for text in tables)
    held_bytes = max(0, needed - _SMALL_TABLE_BYTES)
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
            "clusters": [build_admission_cluster(), build_translator_cluster()],
        },
        "dynamic_resources": {
            "cds_config": build_config_source(settings.files.clusters),
            "lds_config": build_config_source(settings.files.listeners),
        },
        "layered_runtime": {"layers": [{"name": "static", "static_layer": _build_runtime()}]},
        "overload_manager": _build_overload_manager(settings.limits, held_bytes),
        "memory_allocator_manager": {
            # What many held responses needed goes back to the machine, within seconds.
            "soft_memory_limit_bytes": held_bytes + settings.limits.memory_bytes // 2,
            "bytes_to_release": settings.limits.memory_bytes // 4,
            "memory_release_interval": "1s",
        },
    }


def _build_runtime() -> dict[str, Any]:
    """Allows long regular expressions (see `headers`); the default limit is 100 steps.

    Memory that the allocator keeps for later does not count: or a burst would refuse all calls after it.
    """
    return {
        "envoy": {"reloadable_features": {"fixed_heap_use_allocated": True}},
        # Of a body that the admission service has rewritten; the default is 32 MiB.
        "http": {"async_response_buffer_limit": _REWRITTEN_BYTES},
        "re2": {"max_program_size": {"error_level": 1_000_000, "warn_level": 1_000_000}},
    }


def _build_overload_manager(limits: Limits, held_bytes: int) -> dict[str, Any]:
    """Limits simultaneous clients, and the memory of all calls: above it, new calls are refused with a 503.

    `held_bytes` are not those of calls, and come on top.

    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/operations/overload_manager/overload_manager
    """
    monitors = "type.googleapis.com/envoy.extensions.resource_monitors"
    return {
        "refresh_interval": "0.1s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"{monitors}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": limits.connections,
                },
            },
            {
                "name": _HEAP,
                "typed_config": {
                    "@type": f"{monitors}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": held_bytes + limits.memory_bytes,
                },
            },
        ],
        "actions": [
            {
                "name": "envoy.overload_actions.stop_accepting_requests",
                "triggers": [{"name": _HEAP, "threshold": {"value": 0.9}}],
            }
        ],
    }
