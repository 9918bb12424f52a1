"""Says which bodies Envoy may rewrite without asking the service: see `envoy/plain_bodies.lua`. Pure.

That is for calls of which nothing is limited, and for bodies that can be read in one way only. Envoy does
with them what `body_rules` would; all others go to the service, which alone refuses.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.admission.needs import OLDER_LIMIT, OUTPUT_LIMITS, list_bounding
from centralized_ml_api.local.admission.provider_rules import OTHER_MODELS, PROVIDER, WITH_STREAM_OPTIONS
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from centralized_ml_api.local.admission.terms import EntryTerms, RouteTerms, TeamLimits

LONGEST_BYTES = 64 * 1024
"""Longer bodies are read faster by the service than by a script."""


def describe_plain(terms: RouteTerms) -> dict[str, Any] | None:
    """Describes the bodies that Envoy may rewrite, for its script; None if it must ask about each.

    `model` is the server's name of the model, as JSON. `watched` is the set of keys that decide something.
    `limited_by` names the limits of teams, if there are any: about the calls of these teams the service must
    be asked whatever their bodies are. A body that names the model `passes` needs no change, if there is such
    a name.
    Where answers are bounded, `most` is the most tokens, `limits` are the keys that say so, `limit` the one
    that the server may read alone if `needs_limit`, `bound` the member to be added.
    """
    if terms.chooses or terms.asks_usage or POT in terms.limits:
        return None
    ((_, entry),) = terms.entries.items()
    has_rules = entry.body_rules not in {"", PROVIDER}
    if entry.model is None or has_rules or entry.takes_form or entry.places is not None or entry.sleeps:
        return None
    longest = min(entry.body_limit_bytes or LONGEST_BYTES, LONGEST_BYTES)
    plain: dict[str, Any] = {"model": json.dumps(entry.model), "longest": longest}
    if terms.limits_name:
        plain["limited_by"] = terms.limits_name
    if entry.body_rules != PROVIDER:
        passes = {"passes": entry.model} if entry.takes_any_model else {}
        return {**plain, **passes, "watched": {"model": True}}
    watched = ("model", "stream", "stream_options", OTHER_MODELS, *list_bounding(entry.path))
    adds_usage = entry.takes_stream_options and entry.path in WITH_STREAM_OPTIONS
    return {
        **plain,
        **_describe_bound(entry),
        "watched": dict.fromkeys(watched, True),
        "adds_usage": adds_usage,
    }


def list_limited(limits: TeamLimits) -> list[str]:
    """Returns the teams about whose calls the service must be asked whatever their bodies are."""
    return sorted({*limits.limits, *limits.requests_at_once})


def _describe_bound(entry: EntryTerms) -> dict[str, Any]:
    names, most = OUTPUT_LIMITS.get(entry.path), entry.max_output_tokens
    if names is None or most is None:
        return {}
    limit = entry.limit_key if entry.limit_key in names else names[0]
    needs_limit = limit == OLDER_LIMIT
    bound = f"{json.dumps(limit)}:{most},"
    return {"most": most, "limits": list(names), "limit": limit, "needs_limit": needs_limit, "bound": bound}
