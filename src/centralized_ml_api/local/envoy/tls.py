"""Puts TLS in front of the listener: on the same port, plain HTTP is shown the way and carries no call.

A redirect alone would hide a mistake: a program that is told `http://` would send its key in the clear with
every call, and work. So what carries a key, and every call, is refused with the right address in the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import AUTHORITY_PATH
from centralized_ml_api.local.envoy.api_keys import KEY_HEADERS
from centralized_ml_api.local.envoy.connection_shares import build_share_limit, choose_chain
from centralized_ml_api.local.envoy.direct_responses import build_error_route, match_methods
from centralized_ml_api.local.envoy.headers import build_header, build_response_headers
from centralized_ml_api.local.envoy.settings import render_seconds

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits, Tls

_TYPES = "type.googleapis.com/envoy.extensions"
_PLAIN = "plain"


def build_inspector() -> dict[str, Any]:
    """Builds the listener filter that sees whether a connection begins with TLS. Pure."""
    kind = f"{_TYPES}.filters.listener.tls_inspector.v3.TlsInspector"
    return {"name": "tls", "typed_config": {"@type": kind}}


def serve_tls(
    shares: dict[str, Any], plain_manager: dict[str, Any], tls: Tls, limits: Limits
) -> dict[str, Any]:
    """Returns the chains with TLS, and one more for plain HTTP, in front of which a matcher looks. Pure.

    Args:
        shares: What `build_shares` built.
        plain_manager: The HTTP connection manager of connections without TLS.
        tls: The files of the certificate.
        limits: How many connections may be plain, and how long a handshake may take.
    """
    secured = {
        "transport_socket": _build_transport_socket(tls),
        "transport_socket_connect_timeout": render_seconds(limits.first_seconds),
    }
    http = {"name": "http", "typed_config": plain_manager}
    plain = {"name": _PLAIN, "filters": [build_share_limit(_PLAIN, limits), http]}
    return {
        "filter_chains": [*({**chain, **secured} for chain in shares["filter_chains"]), plain],
        "filter_chain_matcher": {
            "matcher_tree": {
                "input": {
                    "name": "transport",
                    "typed_config": {
                        "@type": f"{_TYPES}.matching.common_inputs.network.v3.TransportProtocolInput"
                    },
                },
                "exact_match_map": {"map": {"tls": {"matcher": shares["filter_chain_matcher"]}}},
            },
            "on_no_match": {"action": choose_chain(_PLAIN)},
        },
    }


def build_plain_routes(tls: Tls) -> dict[str, Any]:
    """Builds the routes of plain HTTP: browsers are redirected, everything else is refused. Pure."""
    every = {"prefix": "/"}
    reads = {**every, "headers": [match_methods(("GET", "HEAD"))]}
    refused = errors.FORBIDDEN.with_message("plain_http")
    with_key = [
        build_error_route({**every, "headers": [{"name": name, "present_match": True}]}, refused)
        for name in KEY_HEADERS
    ]
    redirect = {
        "match": reads,
        # Not for good: a browser would remember it after the event.
        "redirect": {"https_redirect": True, "response_code": "TEMPORARY_REDIRECT"},
        "response_headers_to_add": build_response_headers(),
    }
    routes = [*_build_authority_routes(tls), *with_key, redirect, build_error_route(every, refused)]
    return {"name": _PLAIN, "virtual_hosts": [{"name": _PLAIN, "domains": ["*"], "routes": routes}]}


def _build_authority_routes(tls: Tls) -> list[dict[str, Any]]:
    if tls.authority is None:
        return []
    match = {"path": AUTHORITY_PATH, "headers": [match_methods(("GET", "HEAD"))]}
    return [
        {
            "match": match,
            "direct_response": {"status": 200, "body": {"filename": str(tls.authority)}},
            "response_headers_to_add": [
                *build_response_headers(),
                # So named, a phone offers to install it.
                build_header("content-type", "application/x-x509-ca-cert"),
            ],
        }
    ]


def _build_transport_socket(tls: Tls) -> dict[str, Any]:
    return {
        "name": "tls",
        "typed_config": {
            "@type": f"{_TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "tls_certificates": [
                    {
                        "certificate_chain": {"filename": str(tls.chain)},
                        "private_key": {"filename": str(tls.key)},
                    }
                ],
                "alpn_protocols": ["http/1.1"],
            },
        },
    }
