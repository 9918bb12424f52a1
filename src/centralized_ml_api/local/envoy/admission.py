"""How Envoy asks the admission service about a call (`ext_proc`) and tells it that one is over (access log).

A route that asks carries the terms for its calls. What the service refuses keeps its own body; while the
service is away, calls of these routes are a 503.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/ext_proc_filter
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.accounts import list_limits
from centralized_ml_api.local.admission.terms import (
    ADDRESS_ATTRIBUTE,
    ADMISSION_SOCKET,
    BODY_NAMESPACE,
    LIMITS_NAMESPACE,
    REFUSED,
    REQUEST_ID_KEY,
    TEAM_HEADER,
    TERMS_KEY,
    TIME_ATTRIBUTE,
    EntryTerms,
    RouteTerms,
    render_terms,
)
from centralized_ml_api.local.envoy.headers import REQUEST_ID, build_header
from centralized_ml_api.local.envoy.route_action import (
    FILTER_ENABLED,
    HEADERS_FILTER,
    LEFT_HEADERS,
    with_filter_config,
)
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.direct_responses import Route
    from centralized_ml_api.local.gateway import Gateway, TeamAccess

ADMISSION_FILTER = "admission"
MARK_FILTER = "admission-mark"
"""The filter that asks, and the one that marks a call, so that its end is told."""

UNREAD_FILTER = "unread-body"
"""The filter that has a body read, where Envoy could not, before the limits of the model that it names."""

CLUSTER = "admission"
LOG_CLUSTER = "admission-log"
"""The same service, for its log alone: Envoy tells no end while a connection has large bodies to send."""

_SLACK_SECONDS = 5.0
_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_MARKED = {"filter_metadata": {"mlapi": {"admission": True}}}
_NOT_ASKED = {"@type": f"{_FILTERS}.ext_proc.v3.ExtProcPerRoute", "disabled": True}
_ASKED = {"request_header_mode": "SEND", "response_header_mode": "SKIP"}
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_GRPC = {"envoy_grpc": {"cluster_name": CLUSTER}}
_LOG_GRPC = {"envoy_grpc": {"cluster_name": LOG_CLUSTER}}


def build_admission_filters(longest_wait_seconds: float) -> list[tuple[str, dict[str, Any]]]:
    """Builds names and options of the filters, in their order. Pure.

    Args:
        longest_wait_seconds: How long the service may let a call wait.
    """
    mark = {
        "@type": f"{_FILTERS}.set_metadata.v3.Config",
        "metadata": [{"metadata_namespace": "mlapi", "value": {"admission": True}}],
    }
    ask = {
        "@type": f"{_FILTERS}.ext_proc.v3.ExternalProcessor",
        "grpc_service": {**_GRPC, "initial_metadata": [{"key": REQUEST_ID_KEY, "value": REQUEST_ID}]},
        "failure_mode_allow": False,
        "status_on_error": {"code": 503},
        "message_timeout": render_seconds(longest_wait_seconds + _SLACK_SECONDS),
        "request_attributes": [ADDRESS_ATTRIBUTE, TIME_ATTRIBUTE],
        # Nothing else: no key and no other header of a caller leaves Envoy.
        "forward_rules": {
            "allowed_headers": {"patterns": [{"exact": TEAM_HEADER}, {"exact": "content-type"}]}
        },
        "metadata_options": {"receiving_namespaces": {"untyped": [BODY_NAMESPACE, LIMITS_NAMESPACE]}},
        "processing_mode": _ASKED,
    }
    return [(UNREAD_FILTER, ask), (MARK_FILTER, mark), (ADMISSION_FILTER, ask)]


def with_admission(route: Route, terms: RouteTerms) -> Route:
    """Returns a route whose calls the service is asked about. Pure."""
    asks = {MARK_FILTER: FILTER_ENABLED, ADMISSION_FILTER: _build_question(terms)}
    asked = {**with_filter_config(route, asks), "metadata": _MARKED}
    return _with_left_headers(asked) if terms.limits else asked


def _with_left_headers(route: Route) -> Route:
    headers = route["typed_per_filter_config"][HEADERS_FILTER]
    mutations = headers["mutations"]
    more = {"response_mutations": [*mutations["response_mutations"], *_SET_LEFT_HEADERS]}
    return with_filter_config(route, {HEADERS_FILTER: {**headers, "mutations": {**mutations, **more}}})


def reading_body(route: Route, terms: RouteTerms) -> Route:
    """Returns a route whose bodies the service reads, to choose another route. Pure."""
    later = {MARK_FILTER: FILTER_ENABLED, ADMISSION_FILTER: FILTER_ENABLED}  # for the route that is chosen
    return with_filter_config(route, {UNREAD_FILTER: _build_question(terms), **later})


def without_admission(route: Route) -> Route:
    """Returns a route that does not ask, on a path whose calls may be asked about. Pure."""
    return with_filter_config(route, {UNREAD_FILTER: _NOT_ASKED, ADMISSION_FILTER: _NOT_ASKED})


def build_terms(name: str, entry: EntryTerms, gateway: Gateway, wait_seconds: float) -> RouteTerms:
    """Builds the terms of a route to an entry. Pure."""
    teams = gateway.teams
    limited = {team.name: team.requests_at_once for team in teams if team.requests_at_once is not None}
    spending = {team.name: team.spending for team in teams if team.spending.is_limited}
    if gateway.pot.is_limited:
        spending[POT] = gateway.pot
    limits = {owner: list_limits(owner, limit) for owner, limit in spending.items()}
    return RouteTerms({name: entry}, wait_seconds, limited, limits=limits)


def list_free_teams(entry: EntryTerms, gateway: Gateway) -> list[TeamAccess]:
    """Returns the teams about whose calls of an entry nothing need be asked. Pure."""
    if entry.asks_for_all or gateway.pot.is_limited:
        return []
    return [team for team in gateway.teams if not team.spending.is_limited and team.requests_at_once is None]


def with_usage_answer(route: Route, gateway: Gateway) -> Route:
    """Returns a route on which the service tells callers what they have used. Pure."""
    terms = build_terms("", EntryTerms(), gateway, 0)
    days = {team.name: team.requests_per_day for team in gateway.teams if team.requests_per_day is not None}
    asks = RouteTerms({}, 0, limits=terms.limits, asks_usage=True, requests_per_day=days)
    return with_filter_config(route, {ADMISSION_FILTER: _build_question(asks)})


_SET_LEFT_HEADERS = [
    {"append": build_header(header, f"%DYNAMIC_METADATA({LIMITS_NAMESPACE}:{header.split('-')[2]})%")}
    for header in LEFT_HEADERS
]


def _build_question(terms: RouteTerms) -> dict[str, Any]:
    overrides = {
        "processing_mode": {**_ASKED, "request_body_mode": "BUFFERED" if terms.reads_body else "NONE"},
        "grpc_initial_metadata": [{"key": TERMS_KEY, "value": render_terms(terms).replace("%", "%%")}],
    }
    return {"@type": f"{_FILTERS}.ext_proc.v3.ExtProcPerRoute", "overrides": overrides}


def build_admission_clusters() -> list[dict[str, Any]]:
    """Builds the clusters of the service, which listens on a socket in Envoy's own folder. Pure."""
    return [_build_cluster(CLUSTER), _build_cluster(LOG_CLUSTER)]


def _build_cluster(name: str) -> dict[str, Any]:
    options = {
        "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    address = {"pipe": {"path": ADMISSION_SOCKET}}
    return {
        "name": name,
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {_HTTP_OPTIONS: options},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }


def build_admission_log() -> dict[str, Any]:
    """Builds the access logger that tells the service of the end of each call that was asked about. Pure."""
    is_marked = {
        "metadata_filter": {
            "matcher": {
                "filter": "mlapi",
                "path": [{"key": "admission"}],
                "value": {"bool_match": True},
            },
            "match_if_key_not_found": False,
        }
    }
    # Under `/v1` every call is marked, because its route is chosen later.
    has_asked = build_expression_filter("'mlapi' in xds.route_metadata.filter_metadata")
    return {
        "name": "admission",
        "filter": {"and_filter": {"filters": [is_marked, has_asked]}},
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
            "common_config": {
                "log_name": "admission",
                "transport_api_version": "V3",
                "buffer_size_bytes": 0,  # at once: somebody waits for the place
                "grpc_service": _LOG_GRPC,
            },
        },
    }


def build_expression_filter(expression: str) -> dict[str, Any]:
    """Builds an access log filter from an expression in CEL. Pure."""
    kind = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    typed = {"@type": kind, "expression": expression}
    return {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": typed}}


IS_REFUSED = build_expression_filter(f"response.code_details.startsWith('{REFUSED}')")
"""Matches what the service has refused."""

IS_UNANSWERED = build_expression_filter("response.code_details.startsWith('ext_proc_error')")
"""Matches calls that the service could not be asked about."""
