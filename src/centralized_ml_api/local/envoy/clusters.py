"""Upstreams as Envoy's clusters (CDS), and their ready ports as load assignments (EDS).

There are no active health checks: the supervisor probes every server that it runs and says which ports are
ready; a second opinion could only be older. There is no outlier detection either: it would eject the one
server of a model after a single reset, and a server that died costs a call no more than a retry (see
`route_action`) until the supervisor has taken its port away.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from centralized_ml_api.local.envoy.aws_signing import build_signing_filters
from centralized_ml_api.local.envoy.provider_key import build_provider_filters
from centralized_ml_api.local.envoy.settings import build_config_source, render_seconds
from centralized_ml_api.local.gateway import ExternalUpstream, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.local.envoy.settings import Settings

_TYPES = "type.googleapis.com/envoy"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_UNLIMITED = 1_000_000
"""Queues are the model servers' business; Envoy's default of three retries at once would fail calls."""


def stat_name(cluster: str) -> str:
    """Returns what the statistics of a cluster begin with, whatever characters its name has. Pure."""
    return f"cluster.{quote(cluster, safe='')}"


def build_cluster(
    upstream: Upstream | ExternalUpstream, settings: Settings, filters: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Builds the cluster of one upstream. Pure.

    Args:
        upstream: Its servers.
        settings: What stays the same while Envoy runs.
        filters: The HTTP filters of a local one, through which its calls leave.
    """
    if isinstance(upstream, Upstream):
        source = build_config_source(settings.files.endpoints_of(upstream.name))
        discovery = {"type": "EDS", "eds_cluster_config": {"eds_config": source}}
        keeps = upstream.keeps_connections
        base = _build_base(upstream.name, settings, 1, filters, keeps_connections=keeps)
        return {**base, **discovery}
    keeps = upstream.keeps_connections or upstream.signing is not None or upstream.provider is not None
    base = _build_base(upstream.name, settings, 5, _build_filters(upstream), keeps_connections=keeps)
    cluster = {**base, **_build_discovery(upstream)}
    return {**cluster, "transport_socket": _build_tls(upstream, settings)} if upstream.tls else cluster


def _build_filters(upstream: ExternalUpstream) -> list[dict[str, Any]]:
    if upstream.signing is not None:
        return build_signing_filters(upstream.signing)
    return build_provider_filters(upstream.provider) if upstream.provider is not None else []


def build_load_assignment(upstream: Upstream) -> dict[str, Any]:
    """Builds the EDS resource of a local upstream; if it has no ports, its calls answer 503. Pure."""
    ports = (("127.0.0.1", port) for port in sorted(set(upstream.ports)))
    kind = {"@type": f"{_TYPES}.config.endpoint.v3.ClusterLoadAssignment"}
    return {**kind, **_build_assignment(upstream.name, ports)}


def build_authority(upstream: ExternalUpstream) -> str:
    """Returns the `Host` header of an upstream, without the default port. Pure."""
    host = f"[{upstream.host}]" if ":" in upstream.host and _is_address(upstream.host) else upstream.host
    return host if upstream.port == (443 if upstream.tls else 80) else f"{host}:{upstream.port}"


def _build_base(
    name: str,
    settings: Settings,
    connect_seconds: float,
    filters: Sequence[dict[str, Any]],
    *,
    keeps_connections: bool,
) -> dict[str, Any]:
    """Builds what all clusters have.

    A call on a connection that its server is closing is a 502: it may have been read, so it must not be sent
    again. Where that can happen, a connection takes one call.
    """
    thresholds = dict.fromkeys(
        ("max_connections", "max_pending_requests", "max_requests", "max_retries"), _UNLIMITED
    )
    http_options = {
        "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
        "common_http_protocol_options": {
            "idle_timeout": render_seconds(settings.limits.upstream_idle_seconds),
            **({} if keeps_connections else {"max_requests_per_connection": 1}),
        },
        "explicit_http_config": {"http_protocol_options": {}},
        **({"http_filters": [*filters]} if filters else {}),
    }
    return {
        "@type": f"{_TYPES}.config.cluster.v3.Cluster",
        "name": name,
        "alt_stat_name": stat_name(name).removeprefix("cluster."),
        "connect_timeout": render_seconds(connect_seconds),
        "lb_policy": "LEAST_REQUEST",
        # Of ten drawn, the one with the fewest calls. With Envoy's default of two, every fourth draw from two
        # servers is the busy one twice; comparing all would always find a server that just died.
        "least_request_lb_config": {"choice_count": 10},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {"thresholds": [thresholds]},
        "typed_extension_protocol_options": {_HTTP_OPTIONS: http_options},
    }


def _build_discovery(upstream: ExternalUpstream) -> dict[str, Any]:
    """Names are looked up as every other program here does: hosts file, mDNS, VPN resolvers and all."""
    endpoints = [(upstream.host, upstream.port)] if upstream.ready else []
    assignment = {"load_assignment": _build_assignment(upstream.name, endpoints)}
    if _is_address(upstream.host):
        return {"type": "STATIC", **assignment}
    getaddrinfo = f"{_TYPES}.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig"
    return {
        "type": "STRICT_DNS",
        "dns_lookup_family": "ALL",
        "typed_dns_resolver_config": {
            "name": "envoy.network.dns_resolver.getaddrinfo",
            "typed_config": {"@type": getaddrinfo},
        },
        **assignment,
    }


def _build_assignment(cluster: str, endpoints: Iterable[tuple[str, int]]) -> dict[str, Any]:
    lb_endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
        for host, port in endpoints
    ]
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": lb_endpoints}]}


def _build_tls(upstream: ExternalUpstream, settings: Settings) -> dict[str, Any]:
    """Trusts the machine's CA bundle; the certificate must be for the host that was written."""
    kind = "IP_ADDRESS" if _is_address(upstream.host) else "DNS"
    validation = {
        "trusted_ca": {"filename": str(settings.ca_bundle)},
        "match_typed_subject_alt_names": [{"san_type": kind, "matcher": {"exact": upstream.host}}],
    }
    context: dict[str, Any] = {
        "@type": f"{_TYPES}.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {"validation_context": validation},
    }
    sni = {} if _is_address(upstream.host) else {"sni": upstream.host}
    return {"name": "envoy.transport_sockets.tls", "typed_config": {**context, **sni}}


def _is_address(host: str) -> bool:
    """Returns whether the host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
