"""The usual lists of headers, said once: by a filter of the listener, for every route that has them.

A list is a pattern that takes Envoy 87 kB, and each route to a server has two: see `headers`. But Envoy
chooses the filters of a call by its first route, and the route that is chosen in the end may lead to a
function, whose headers all pass. So the filter is behind a matcher. That is asked when the call gets there,
and passes the call by unless its route applies the lists.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/common/matching/v3/extension_matcher.proto
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.headers import (
    ALWAYS_PASS,
    build_request_mutations,
    build_response_mutations,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

USUAL_HEADERS_FILTER = "usual-headers"

_TYPES = "type.googleapis.com/envoy.extensions"
_MATCHING = f"{_TYPES}.common.matching.v3.ExtensionWithMatcher"

APPLY_USUAL = {"@type": f"{_MATCHING}PerRoute", "xds_matcher": {}}
"""For a route with the usual lists: a matcher that matches nothing, so that nothing is skipped."""


def are_usual(configured: Iterable[str]) -> bool:
    """Returns whether a route that lets these headers of requests pass has the usual lists. Pure."""
    return {name.lower() for name in configured} <= {*ALWAYS_PASS}


def build_usual_headers_filter() -> dict[str, Any]:
    """Builds the filter, which comes after the one with what a route says itself.

    So it removes nothing that is added to a response; and what it removes from a request cannot be added
    there.
    """
    mutations = {
        "request_mutations": build_request_mutations(()),
        "response_mutations": build_response_mutations(),
    }
    kind = f"{_TYPES}.filters.http.header_mutation.v3.HeaderMutation"
    skip = {"@type": f"{_TYPES}.filters.common.matcher.action.v3.SkipFilter"}
    return {
        "name": USUAL_HEADERS_FILTER,
        "disabled": True,
        "typed_config": {
            "@type": _MATCHING,
            "xds_matcher": {"on_no_match": {"action": {"name": "skip", "typed_config": skip}}},
            "extension_config": {
                "name": "lists",
                "typed_config": {"@type": kind, "mutations": mutations},
            },
        },
    }
