"""The one listener: HTTP as the contract wants it, the filters, the access log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.api_keys import TEAM_FORMAT, TEAM_HEADER, build_key_filters
from centralized_ml_api.local.envoy.aws_signing import SAGEMAKER_ERRORS, render_sagemaker_errors
from centralized_ml_api.local.envoy.headers import REQUEST_ID
from centralized_ml_api.local.envoy.rate_limits import LIMIT_FILTERS, LIMIT_KIND
from centralized_ml_api.local.envoy.replies import build_local_replies
from centralized_ml_api.local.envoy.routes import ROUTES_NAME
from centralized_ml_api.local.envoy.served import (
    ANSWER_FILTER,
    BODY_FILTER,
    HEADERS_FILTER,
    LIMIT_FILTER,
    MODEL_FILTER,
    QUERY_FILTER,
)
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.envoy.stats import build_body_rules
from centralized_ml_api.local.envoy.traffic import build_traffic_log

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits, Settings

STAT_PREFIX = "gateway"
_LABELS = {"model": "%ROUTE_NAME%", "team": TEAM_FORMAT, "status": "%RESPONSE_CODE%"}
_DROP_QUERY = {
    "inline_string": """
function envoy_on_request(call)
  local headers = call:headers()
  headers:replace(":path", (string.gsub(headers:get(":path"), "%?.*", "")))
end
"""
}
# Until it is complete, so that one that breaks off can still become a 502 or a 504. Envoy has a filter for
# this, file_system_buffer; it also holds Envoy's own answer to a malformed body, and for so long that the
# stream is gone and the client gets nothing.
_HOLD_ANSWER = {
    "inline_string": """
function envoy_on_response(call)
  call:body()
end
"""
}
_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def build_listener(settings: Settings) -> dict[str, Any]:
    """The listener; a port that another process holds is an error, not shared with it."""
    return {
        "name": "api",
        "address": {"socket_address": {"address": settings.host, "port_value": settings.port}},
        # With SO_REUSEPORT a second gateway on the same port would start, and each would get half the calls.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": _connection_manager(settings)}]}],
    }


def _connection_manager(settings: Settings) -> dict[str, Any]:
    kind = f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager"
    return {
        "@type": kind,
        "stat_prefix": STAT_PREFIX,
        **_protocol(),
        **_timeouts(settings.limits),
        **_addresses(),
        "max_request_headers_kb": settings.limits.headers_kib,
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "rds": {
            "route_config_name": ROUTES_NAME,
            "config_source": build_source(str(settings.files.routes)),
        },
        "http_filters": _filters(settings),
        "local_reply_config": build_local_replies(settings.limits),
        "access_log": [_access_log(str(settings.files.access_log)), build_traffic_log(_LABELS)],
    }


def build_source(path: str) -> dict[str, Any]:
    """A dynamic file: Envoy takes it anew when another is renamed to its name."""
    return {"path_config_source": {"path": path}, "resource_api_version": "V3"}


def _protocol() -> dict[str, Any]:
    """HTTP/1.1 and 1.0. Paths stay as they came: see `routes`."""
    return {
        "codec_type": "HTTP1",
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": "localhost",
        },
        "normalize_path": False,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
    }


def _timeouts(limits: Limits) -> dict[str, Any]:
    """A client that dawdles loses its connection; one whose body was refused can still read why."""
    patience = limits.answer_seconds + limits.request_seconds
    return {
        "common_http_protocol_options": {
            "idle_timeout": render_seconds(limits.keep_alive_seconds),
            "max_headers_count": limits.headers_count,
        },
        "request_headers_timeout": render_seconds(limits.headers_seconds),
        "request_timeout": render_seconds(limits.request_seconds),
        "stream_idle_timeout": render_seconds(patience),
        "delayed_close_timeout": "2s",
    }


def _addresses() -> dict[str, Any]:
    """The caller's address goes into X-Forwarded-For; nobody is trusted to be a proxy."""
    return {
        "use_remote_address": True,
        "skip_xff_append": True,
        "append_x_forwarded_port": True,
        "early_header_mutation_extensions": [
            {
                "name": "client-cannot-steer-envoy",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation"
                    ".header_mutation.v3.HeaderMutation",
                    "mutations": [
                        {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}},
                        {"remove": TEAM_HEADER},
                        {"remove": "x-forwarded-port"},
                    ],
                },
            }
        ],
    }


def _filters(settings: Settings) -> list[dict[str, Any]]:
    """The order of a request; an answer goes the other way. All but the router act where a route says so.

    Who calls, and how often, is decided before anything of a body is read.
    The limit stands before what collects the body: when that one refuses, it has stopped reading the
    connection, and the client's next request on it would hang.
    """
    limits = settings.limits
    limit = {"max_request_bytes": limits.body_bytes}
    held = {"max_request_bytes": limits.answer_bytes}  # Envoy has one limit for both directions of a call
    lua = f"{_FILTERS}.http.lua.v3.Lua"
    sources = {SAGEMAKER_ERRORS: {"inline_string": render_sagemaker_errors()}}
    return [
        *({"name": name, "disabled": True, "typed_config": config} for name, config in build_key_filters()),
        *(_delivered(name, str(settings.files.limit_of(name))) for name in LIMIT_FILTERS),
        _filter(LIMIT_FILTER, f"{_FILTERS}.http.body_size_limit.v3.BodySizeLimit", limit),
        _filter(BODY_FILTER, f"{_FILTERS}.http.buffer.v3.Buffer", held),
        _filter(MODEL_FILTER, f"{_FILTERS}.http.json_to_metadata.v3.JsonToMetadata", build_body_rules()),
        _filter(QUERY_FILTER, lua, {"default_source_code": _DROP_QUERY}),
        _filter(HEADERS_FILTER, f"{_FILTERS}.http.header_mutation.v3.HeaderMutation", {}),
        _filter(ANSWER_FILTER, lua, {"default_source_code": _HOLD_ANSWER, "source_codes": sources}),
        {
            "name": "router",
            "typed_config": {
                "@type": f"{_FILTERS}.http.router.v3.Router",
                "suppress_envoy_headers": True,
                # Counters by status for each cluster, which nobody reads: see `traffic`.
                "dynamic_stats": False,
            },
        },
    ]


def _filter(name: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "disabled": True, "typed_config": {"@type": kind, **options}}


def _delivered(name: str, path: str) -> dict[str, Any]:
    """A filter whose options are in a file of their own, and change without the listener."""
    discovery = {"config_source": build_source(path), "type_urls": [LIMIT_KIND]}
    return {"name": name, "disabled": True, "config_discovery": discovery}


def _access_log(path: str) -> dict[str, Any]:
    """One JSON object a line. No body, no header, no query string: nothing in it is anyone's secret."""
    return {
        "name": "access",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": {
                "json_format": {
                    "time": "%START_TIME%",
                    "request_id": REQUEST_ID,
                    "team": TEAM_FORMAT,
                    "model": "%ROUTE_NAME%",
                    "status": "%RESPONSE_CODE%",
                    "flags": "%RESPONSE_FLAGS%",
                    "milliseconds": "%DURATION%",
                    "bytes_in": "%BYTES_RECEIVED%",
                    "bytes_out": "%BYTES_SENT%",
                }
            },
        },
    }
