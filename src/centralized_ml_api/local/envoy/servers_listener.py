"""The listener that the translator calls: each call names the cluster that it goes to. See `translator`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.headers import OWN_REPLY_HEADER, build_header
from centralized_ml_api.local.envoy.local_replies import build_local_reply_config
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.envoy.translator import CLUSTER_HEADER, SERVERS_SOCKET

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits

_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def build_servers_listener(limits: Limits) -> dict[str, Any]:
    """Builds the listener that the translator calls on: a socket for this user alone. Pure."""
    manager = {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "servers",
        "codec_type": "HTTP1",
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "stream_idle_timeout": render_seconds(limits.stream_idle_seconds),
        "local_reply_config": _build_local_replies(limits),
        "route_config": {"virtual_hosts": [_build_host(limits)]},
        "http_filters": [
            {
                "name": "router",
                "typed_config": {
                    "@type": f"{_FILTERS}.http.router.v3.Router",
                    "suppress_envoy_headers": True,
                    "dynamic_stats": False,
                },
            }
        ],
    }
    return {
        "name": "servers",
        "address": {"pipe": {"path": SERVERS_SOCKET, "mode": 0o600}},
        "ignore_global_conn_limit": True,  # the caller's own connection counts
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def _build_host(limits: Limits) -> dict[str, Any]:
    route = {
        "match": {"prefix": "/"},
        "route": {
            "cluster_header": CLUSTER_HEADER,
            "timeout": "0s",
            "idle_timeout": render_seconds(limits.stream_idle_seconds),
            "retry_policy": {"retry_on": "connect-failure,reset-before-request", "num_retries": 3},
        },
        "request_headers_to_remove": [CLUSTER_HEADER, "x-forwarded-proto", "x-forwarded-for"],
    }
    return {
        "name": "servers",
        "domains": ["*"],
        # What is signed is held until it is complete.
        "request_body_buffer_limit": limits.response_bytes,
        "routes": [route],
    }


def _build_local_replies(limits: Limits) -> dict[str, Any]:
    """Builds the replies of the public listener, each marked as Envoy's own."""
    mark = build_header(OWN_REPLY_HEADER, "%RESPONSE_FLAGS%")
    mappers = build_local_reply_config(limits)["mappers"]
    return {
        "mappers": [
            {**mapper, "headers_to_add": [*mapper.get("headers_to_add", ()), mark]} for mapper in mappers
        ]
    }
