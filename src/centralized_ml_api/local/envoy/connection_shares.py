"""Divides the connections among client addresses, so that no address can have them all.

Envoy has no limit for each address. But it can choose the filter chain of a connection by a hash of the
address, and each chain has a limit of its own. Addresses of this machine have no share: behind them may be a
proxy that brings everybody. docs/explanation/gateway.md has what the chains cost and how they might be fewer.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/listeners/network_filters/connection_limit_filter
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.settings import SHARES_OF_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.local.envoy.settings import Limits

_TYPES = "type.googleapis.com/envoy.extensions"
_UNSHARED = "unshared"


def build_shares(manager: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Builds the filter chains of the listener, and the matcher that chooses among them. Pure.

    Args:
        manager: The HTTP connection manager, the same for all.
        limits: How many connections, and into how many shares; 0 gives everybody all of them.
    """
    http = {"name": "http", "typed_config": manager}
    names = [f"share-{number}" for number in range(limits.shares)]
    limit = build_share_limit("share", limits)
    return {
        "filter_chains": [
            {"name": _UNSHARED, "filters": [http]},
            *({"name": name, "filters": [limit, http]} for name in names),
        ],
        "filter_chain_matcher": _build_matcher(names, limits.unshared),
    }


def build_share_limit(name: str, limits: Limits) -> dict[str, Any]:
    """Builds the network filter that gives all connections of a filter chain together one share. Pure."""
    return {
        "name": name,
        "typed_config": {
            "@type": f"{_TYPES}.filters.network.connection_limit.v3.ConnectionLimit",
            "stat_prefix": name,
            "max_connections": max(1, limits.connections // SHARES_OF_CONNECTIONS),
        },
    }


def _build_matcher(names: list[str], unshared: Iterable[str]) -> dict[str, Any]:
    """Each matcher takes one group of those that the matchers before it left; the last group is the rest."""
    if not names:
        return {"on_no_match": {"action": choose_chain(_UNSHARED)}}
    own = {
        "name": "own",
        "typed_config": {
            "@type": f"{_TYPES}.matching.input_matchers.ip.v3.Ip",
            "stat_prefix": "own",
            "cidr_ranges": [_build_range(network) for network in unshared],
        },
    }
    groups = [
        {
            "name": "group",
            "typed_config": {
                "@type": f"{_TYPES}.matching.input_matchers.consistent_hashing.v3.ConsistentHashing",
                "threshold": number,
                "modulo": len(names),
            },
        }
        for number in range(len(names) - 1, 0, -1)
    ]
    matchers = zip((own, *groups), (_UNSHARED, *reversed(names[1:])), strict=True)
    return {
        "matcher_list": {
            "matchers": [
                {
                    "predicate": {"single_predicate": {"input": _SOURCE, "custom_match": matcher}},
                    "on_match": {"action": choose_chain(name)},
                }
                for matcher, name in matchers
            ]
        },
        "on_no_match": {"action": choose_chain(names[0])},
    }


def _build_range(network: str) -> dict[str, Any]:
    address, _, length = network.partition("/")
    return {"address_prefix": address, "prefix_len": int(length)}


_SOURCE = {
    "name": "source",
    "typed_config": {"@type": f"{_TYPES}.matching.common_inputs.network.v3.SourceIPInput"},
}


def choose_chain(name: str) -> dict[str, Any]:
    """Builds the action of a matcher that chooses a filter chain. Pure."""
    return {
        "name": name,
        "typed_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": name},
    }
