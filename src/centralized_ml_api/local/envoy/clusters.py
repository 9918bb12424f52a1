"""Upstreams as Envoy's clusters (CDS).

There are no active health checks: the supervisor pings every server it runs and says which ports are ready;
a second opinion could only be older. There is no outlier detection either: it would turn the one server of
a model away after a single reset, and a server that died costs a call nothing but a retry (see `routes`)
until the supervisor has taken its port away.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from centralized_ml_api.local.envoy.aws_signing import build_signing_filters
from centralized_ml_api.local.envoy.endpoints import build_endpoint
from centralized_ml_api.local.envoy.settings import render_seconds
from centralized_ml_api.local.gateway import ExternalUpstream, Upstream

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Settings

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_UNLIMITED = 1_000_000
"""Queues are the model servers' business; Envoy's default of three retries at once would fail calls."""


def stat_name(upstream: str) -> str:
    """What the statistics of an upstream begin with, whatever characters its name has."""
    return f"cluster.{quote(upstream, safe='')}"


def build_cluster(upstream: Upstream | ExternalUpstream, settings: Settings) -> dict[str, Any]:
    """One upstream."""
    if isinstance(upstream, Upstream):
        return {**_common(upstream.name, settings, 1, []), **_local(upstream, settings)}
    filters = build_signing_filters(upstream.signing) if upstream.signing else []
    return {**_common(upstream.name, settings, 5, filters), **_external(upstream, settings)}


def _common(
    name: str, settings: Settings, connect_seconds: float, filters: list[dict[str, Any]]
) -> dict[str, Any]:
    thresholds = dict.fromkeys(
        ("max_connections", "max_pending_requests", "max_requests", "max_retries"), _UNLIMITED
    )
    return {
        "@type": CLUSTER,
        "name": name,
        "alt_stat_name": stat_name(name).removeprefix("cluster."),
        "connect_timeout": render_seconds(connect_seconds),
        "lb_policy": "LEAST_REQUEST",
        # Of ten drawn, the one with the fewest calls. Of Envoy's two, with two servers, every fourth draw is
        # the busy one twice; to look at them all would find a server that just died each time, it has none.
        "least_request_lb_config": {"choice_count": 10},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {"thresholds": [thresholds]},
        "typed_extension_protocol_options": {_HTTP_OPTIONS: _http_options(settings, filters)},
    }


def _http_options(settings: Settings, filters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
        "common_http_protocol_options": {
            "idle_timeout": render_seconds(settings.limits.upstream_idle_seconds),
        },
        "explicit_http_config": {"http_protocol_options": {}},
        **({"http_filters": filters} if filters else {}),
    }


def _local(upstream: Upstream, settings: Settings) -> dict[str, Any]:
    path = str(settings.files.endpoints_of(upstream.name))
    source = {"path_config_source": {"path": path}, "resource_api_version": "V3"}
    return {"type": "EDS", "eds_cluster_config": {"eds_config": source}}


def _external(upstream: ExternalUpstream, settings: Settings) -> dict[str, Any]:
    endpoints = [build_endpoint(upstream.host, upstream.port)] if upstream.ready else []
    cluster: dict[str, Any] = {
        **_discovery(upstream.host),
        "load_assignment": {"cluster_name": upstream.name, "endpoints": [{"lb_endpoints": endpoints}]},
    }
    return {**cluster, "transport_socket": _tls(upstream, settings)} if upstream.tls else cluster


def _discovery(host: str) -> dict[str, Any]:
    """Names are looked up as every other program here does: hosts file, mDNS, VPN resolvers and all."""
    if is_address(host):
        return {"type": "STATIC"}
    getaddrinfo = "envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig"
    return {
        "type": "STRICT_DNS",
        "dns_lookup_family": "ALL",
        "typed_dns_resolver_config": {
            "name": "envoy.network.dns_resolver.getaddrinfo",
            "typed_config": {"@type": f"type.googleapis.com/{getaddrinfo}"},
        },
    }


def _tls(upstream: ExternalUpstream, settings: Settings) -> dict[str, Any]:
    """TLS with the machine's own trust store; the certificate must be for the host that was written."""
    kind = "IP_ADDRESS" if is_address(upstream.host) else "DNS"
    validation = {
        "trusted_ca": {"filename": str(settings.trust_store)},
        "match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": upstream.host}}],
    }
    context: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {"validation_context": validation},
    }
    sni = {} if is_address(upstream.host) else {"sni": upstream.host}
    return {"name": "envoy.transport_sockets.tls", "typed_config": {**context, **sni}}


def build_authority(external: ExternalUpstream) -> str:
    """What its `Host` header says."""
    host = f"[{external.host}]" if ":" in external.host and is_address(external.host) else external.host
    return host if external.port == (443 if external.tls else 80) else f"{host}:{external.port}"


def is_address(host: str) -> bool:
    """Whether the host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
