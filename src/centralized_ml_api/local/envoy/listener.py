"""Builds the one listener: HTTP as the contract defines it, the filters, the access log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.terms import TEAM_HEADER
from centralized_ml_api.local.envoy.admission import (
    ADMISSION_FILTER,
    HAS_SAID,
    HAS_SAID_NOTHING,
    SAID_FORMAT,
    UNREAD_FILTER,
    build_admission_logs,
    build_admission_options,
)
from centralized_ml_api.local.envoy.anthropic_errors import ANTHROPIC_FILTER, render_anthropic_errors
from centralized_ml_api.local.envoy.api_keys import TEAM_FORMAT, build_key_filters
from centralized_ml_api.local.envoy.auth_scheme import REWRITE_SCHEME, SCHEME_FILTER
from centralized_ml_api.local.envoy.aws_signing import (
    SAGEMAKER_COUNTED,
    SAGEMAKER_ERRORS,
    render_sagemaker_errors,
)
from centralized_ml_api.local.envoy.body_metadata import build_metadata_rules
from centralized_ml_api.local.envoy.connection_shares import build_shares
from centralized_ml_api.local.envoy.headers import ATTEMPT_HEADER, REQUEST_ID, SET_PATH
from centralized_ml_api.local.envoy.local_replies import build_local_reply_config
from centralized_ml_api.local.envoy.lua_scripts import render_declared_encoding
from centralized_ml_api.local.envoy.provider_answers import (
    PROVIDER_ANSWER,
    PROVIDER_STREAM,
    PROVIDER_UNCOUNTED,
    render_provider_answers,
)
from centralized_ml_api.local.envoy.rate_limits import LEFT_FILTER, LOCAL_RATE_LIMIT, RATE_LIMIT_FILTERS
from centralized_ml_api.local.envoy.refused_bodies import (
    DRAIN_FILTER,
    UNDROPPED_BYTES,
    WAIT_FILTER,
    build_drain_scripts,
)
from centralized_ml_api.local.envoy.route_action import (
    BODY_SIZE_FILTER,
    BUFFER_FILTER,
    HEADERS_FILTER,
    METADATA_FILTER,
    PASSED_RESPONSE,
    QUERY_FILTER,
    RESPONSE_FILTER,
)
from centralized_ml_api.local.envoy.routes import ROUTE_CONFIG_NAME
from centralized_ml_api.local.envoy.settings import build_config_source, render_seconds
from centralized_ml_api.local.envoy.tls import build_inspector, build_plain_routes, serve_tls
from centralized_ml_api.local.envoy.token_counts import (
    COUNTED_ANSWER,
    COUNTED_STREAM,
    FIRST_WORD_FORMAT,
    SERVED_BY_FORMAT,
    TOKEN_FORMATS,
    build_stats_loggers,
    is_not_noted,
    is_noted,
    render_counted_answers,
)
from centralized_ml_api.local.envoy.usual_headers import build_usual_headers_filter

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits, Settings, Tls

STAT_PREFIX = "gateway"
_LABELS = {"model": "%ROUTE_NAME%", "team": TEAM_FORMAT, "status": "%RESPONSE_CODE%"}
_DROP_QUERY = {
    "inline_string": """
function envoy_on_request(request_handle)
  local headers = request_handle:headers()
  headers:replace(":path", (string.gsub(headers:get(":path"), "%?.*", "")))
end
"""
}
# Until it is complete, so that a response that breaks off can still become a 502 or a 504. One that is too
# large to hold passes if it declares its length: its client notices an early end. Envoy has a filter for
# this, file_system_buffer; but that one also holds Envoy's own response to a malformed body, until the
# stream is gone and the client gets nothing.
_HOLD_RESPONSE = """
function envoy_on_response(response_handle)
  local headers = response_handle:headers()
  declare_encoding(headers)
  local length = headers:get("content-length")
  if not length or tonumber(length) <= {limit} then response_handle:body() end
end
"""
_DECLARE_ENCODING = """
function envoy_on_response(response_handle)
  declare_encoding(response_handle:headers())
end
"""
_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def build_listener(settings: Settings) -> dict[str, Any]:
    """Builds the listener, which does not share its port: if another process holds it, Envoy fails. Pure."""
    limits, tls = settings.limits, settings.tls
    chains = build_shares(build_connection_manager(settings), limits)
    if tls is not None:
        chains = serve_tls(chains, _build_plain_manager(tls, limits), tls, limits)
    return {
        "name": "api",
        "address": {"socket_address": {"address": settings.host, "port_value": settings.port}},
        # With SO_REUSEPORT a second gateway on the same port would start, and each would get half the calls.
        "enable_reuse_port": False,
        # A connection on which nothing comes is closed before it becomes one of HTTP, which may be idle.
        "listener_filters": [
            *([] if tls is None else [build_inspector()]),
            {
                "name": "first line",
                "typed_config": {
                    "@type": f"{_FILTERS}.listener.http_inspector.v3.HttpInspector",
                },
            },
        ],
        "listener_filters_timeout": render_seconds(limits.first_seconds),
        **chains,
    }


def _build_plain_manager(tls: Tls, limits: Limits) -> dict[str, Any]:
    return {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "plain",
        **_build_protocol(),
        **_build_timeouts(limits),
        "max_request_headers_kb": limits.headers_kib,
        "generate_request_id": False,
        "route_config": build_plain_routes(tls),
        "http_filters": [_build_router()],
    }


def build_connection_manager(settings: Settings) -> dict[str, Any]:
    """Builds what makes HTTP of bytes, and calls of HTTP. Pure."""
    kind = f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager"
    return {
        "@type": kind,
        "stat_prefix": STAT_PREFIX,
        **_build_protocol(),
        **_build_timeouts(settings.limits),
        **_build_address_handling(),
        "max_request_headers_kb": settings.limits.headers_kib,
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "rds": {
            "route_config_name": ROUTE_CONFIG_NAME,
            "config_source": build_config_source(settings.files.routes),
        },
        "http_filters": _build_http_filters(settings),
        "local_reply_config": build_local_reply_config(settings.limits),
        "access_log": [
            *_build_access_logs(str(settings.files.access_log)),
            *build_stats_loggers(_LABELS),
            *build_admission_logs(),
        ],
    }


def _build_protocol() -> dict[str, Any]:
    """HTTP/1.1 and 1.0. Paths stay as they arrive: see `routes`."""
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


def _build_timeouts(limits: Limits) -> dict[str, Any]:
    """Lets a slow client lose its connection; one whose body was refused still has time to read why.

    Only the routes of streams say how long a call may be silent. Others end by the time of the whole request
    or that of the whole response, and a timer that every piece begins anew costs each call more than these.
    """
    return {
        "common_http_protocol_options": {
            "idle_timeout": render_seconds(limits.keep_alive_seconds),
            "max_headers_count": limits.headers_count,
        },
        "request_headers_timeout": render_seconds(limits.headers_seconds),
        "request_timeout": render_seconds(limits.request_seconds),
        "stream_idle_timeout": "0s",
        "delayed_close_timeout": "2s",
    }


def _build_address_handling() -> dict[str, Any]:
    """Adds the caller's address to X-Forwarded-For; no one is trusted to be a proxy."""
    return {
        "use_remote_address": True,
        "skip_xff_append": True,
        "append_x_forwarded_port": True,
        "early_header_mutation_extensions": [
            build_early_mutation(
                "client-cannot-steer-envoy",
                {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}},
                {"remove": TEAM_HEADER},
                {"remove": ATTEMPT_HEADER},
                {"remove": "x-forwarded-port"},
                SET_PATH,
            )
        ],
    }


def build_early_mutation(name: str, *mutations: dict[str, Any]) -> dict[str, Any]:
    """Builds what changes the headers of a request before its route is chosen. Pure."""
    kind = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return {"name": name, "typed_config": {"@type": kind, "mutations": [*mutations]}}


def _build_http_filters(settings: Settings) -> list[dict[str, Any]]:
    """Builds the filters in the order of a request; a response takes them in reverse.

    All but the router are disabled unless a route enables them. Who calls is decided before any of the body
    is held. Everything else is decided when the body is complete: see `refused_bodies`. Limits come after the
    filters that find the model, because a call without a model does not count; a call waits for its turn once
    nothing else can refuse it. The size limit comes before the buffer: a buffer that refuses a body has
    stopped reading the connection, and the client's next request on it would hang.
    """
    limits = settings.limits
    lua, buffer = f"{_FILTERS}.http.lua.v3.Lua", f"{_FILTERS}.http.buffer.v3.Buffer"
    admission = build_admission_options(limits.turn_seconds)
    return [
        # The first filter is the last that sees a response, whoever made it.
        _build_filter(
            ANTHROPIC_FILTER, lua, {"default_source_code": {"inline_string": render_anthropic_errors()}}
        ),
        _build_filter(SCHEME_FILTER, lua, {"default_source_code": {"inline_string": REWRITE_SCHEME}}),
        _build_filter(DRAIN_FILTER, lua, build_drain_scripts(limits)),
        # What the filter before it does not drop is too much.
        _build_filter(WAIT_FILTER, buffer, {"max_request_bytes": UNDROPPED_BYTES}),
        *({"name": name, "disabled": True, "typed_config": config} for name, config in build_key_filters()),
        _build_filter(
            BODY_SIZE_FILTER,
            f"{_FILTERS}.http.body_size_limit.v3.BodySizeLimit",
            {"max_request_bytes": limits.body_bytes},
        ),
        # Envoy has one limit for both directions of a call.
        _build_filter(BUFFER_FILTER, buffer, {"max_request_bytes": limits.response_bytes}),
        _build_filter(
            METADATA_FILTER, f"{_FILTERS}.http.json_to_metadata.v3.JsonToMetadata", build_metadata_rules()
        ),
        _build_filter(UNREAD_FILTER, lua, admission),
        _build_filter(LEFT_FILTER, f"{_FILTERS}.http.header_mutation.v3.HeaderMutation", {}),
        *(_build_ecds_filter(name, settings) for name in RATE_LIMIT_FILTERS),
        _build_filter(ADMISSION_FILTER, lua, admission),
        _build_filter(QUERY_FILTER, lua, {"default_source_code": _DROP_QUERY}),
        _build_filter(HEADERS_FILTER, f"{_FILTERS}.http.header_mutation.v3.HeaderMutation", {}),
        build_usual_headers_filter(),
        _build_filter(RESPONSE_FILTER, lua, _build_response_scripts(limits.response_bytes)),
        _build_router(),
    ]


def _build_router() -> dict[str, Any]:
    return {
        "name": "router",
        "typed_config": {
            "@type": f"{_FILTERS}.http.router.v3.Router",
            "suppress_envoy_headers": True,
            # Counters by status for each cluster, which nobody reads: see `stats`.
            "dynamic_stats": False,
        },
    }


def _build_response_scripts(most_bytes: int) -> dict[str, Any]:
    """Builds what may be done with a response: it is held whole, unless the route names another script."""
    declares = render_declared_encoding()
    scripts = {
        PASSED_RESPONSE: f"{declares}{_DECLARE_ENCODING}",
        SAGEMAKER_ERRORS: render_sagemaker_errors(most_bytes),
        SAGEMAKER_COUNTED: render_sagemaker_errors(most_bytes, counts=True),
        PROVIDER_ANSWER: render_provider_answers(most_bytes, streams=False),
        PROVIDER_STREAM: render_provider_answers(most_bytes, streams=True),
        PROVIDER_UNCOUNTED: render_provider_answers(most_bytes, streams=False, counts=False),
        COUNTED_ANSWER: render_counted_answers(most_bytes, streams=False),
        COUNTED_STREAM: render_counted_answers(most_bytes, streams=True),
    }
    return {
        "default_source_code": {"inline_string": f"{declares}{_HOLD_RESPONSE.format(limit=most_bytes)}"},
        "source_codes": {name: {"inline_string": script} for name, script in scripts.items()},
    }


def _build_filter(name: str, kind: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "disabled": True, "typed_config": {"@type": kind, **options}}


def _build_ecds_filter(name: str, settings: Settings) -> dict[str, Any]:
    """Builds a filter whose options are in a file of their own, and change without the listener."""
    source = build_config_source(settings.files.rate_limit_of(name))
    discovery = {"config_source": source, "type_urls": [LOCAL_RATE_LIMIT]}
    return {"name": name, "disabled": True, "config_discovery": discovery}


def _build_access_logs(path: str) -> list[dict[str, Any]]:
    """Logs one JSON object per line. No bodies, headers or query strings: nothing in it is a secret.

    Envoy needs five times as much for a field that a filter may note as for any other, even if it is empty.
    So most calls have a logger of their own, in which those that are seldom noted are null.
    """
    fields = {
        "time": "%START_TIME%",
        "request_id": REQUEST_ID,
        "team": TEAM_FORMAT,
        "model": "%ROUTE_NAME%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "milliseconds": "%DURATION%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        **TOKEN_FORMATS,
        "first_word": FIRST_WORD_FORMAT,
    }
    seldom = {"served_by": SERVED_BY_FORMAT, "admission": SAID_FORMAT}
    none = {"and_filter": {"filters": [is_not_noted("served_by"), HAS_SAID_NOTHING]}}
    some = {"or_filter": {"filters": [is_noted("served_by"), HAS_SAID]}}
    return [
        _build_access_log("access", path, {**fields, **dict.fromkeys(seldom)}, none),
        _build_access_log("access_seldom", path, {**fields, **seldom}, some),
    ]


def _build_access_log(
    name: str, path: str, fields: dict[str, str | None], condition: dict[str, Any]
) -> dict[str, Any]:
    kind = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
    log = {"@type": kind, "path": path, "log_format": {"json_format": fields}}
    return {"name": name, "filter": condition, "typed_config": log}
