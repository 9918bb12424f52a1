"""How much a team, and all callers together, may ask for: three filters, each in a file of its own (ECDS).

They are not in the listener, which cannot change without cutting streams. A file is replaced only when it
says another limit: its buckets then begin anew.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/local_rate_limit_filter
"""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.envoy.api_keys import TEAM_HEADER
from centralized_ml_api.local.envoy.headers import build_header

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from centralized_ml_api.local.gateway import Gateway, Quotas
    from centralized_ml_api.plan.event import Throttle

RATE_FILTER = "rate"
THROTTLE_FILTER = "throttle"
QUOTA_FILTER = "quota"
LIMIT_FILTERS = (RATE_FILTER, THROTTLE_FILTER, QUOTA_FILTER)
"""A team's rate, then that of the whole API, then the team's day: what one refuses does not cost the next."""

LIMIT_KIND = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
REFUSED_STATUS = {RATE_FILTER: 429, THROTTLE_FILTER: 424, QUOTA_FILTER: 423}
"""By these `replies` tells the filters apart; callers see 429 always. Envoy takes only statuses it knows."""

_UINT32 = 2**32 - 1
_MILLE = 1000
_NEVER_EMPTY = {"max_tokens": _UINT32, "tokens_per_fill": _UINT32, "fill_interval": "1s"}
_NEVER_FILLED = {"tokens_per_fill": 1, "fill_interval": "315360000s"}
"""What a day's calls cost does not come back before the day is over, and then there is another file."""

_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
_PER_CALL = 2
"""What a call costs of the day: no bucket can be empty, but one with a single token holds no call."""


def build_limits(gateway: Gateway) -> dict[str, dict[str, Any]]:
    """The three filters by name, whether or not they limit anything. Pure."""
    rates = {one.name: one.throttle for one in gateway.teams if one.throttle is not None}
    whole = gateway.throttle
    return {
        RATE_FILTER: _build_filter(
            RATE_FILTER, {name: _bucket(one) for name, one in rates.items()}, retry=_pause(rates.values())
        ),
        THROTTLE_FILTER: _build_filter(
            THROTTLE_FILTER,
            {},
            retry=_pause([whole] if whole else []),
            default=_bucket(whole) if whole else _NEVER_EMPTY,
        ),
        QUOTA_FILTER: _quota(gateway.quotas),
    }


def list_limiting(gateway: Gateway) -> list[str]:
    """The names of those of the three filters that limit anything; the others would only cost. Pure."""
    limits = {
        RATE_FILTER: any(one.throttle is not None for one in gateway.teams),
        THROTTLE_FILTER: gateway.throttle is not None,
        QUOTA_FILTER: gateway.quotas is not None and bool(gateway.quotas.left),
    }
    return [name for name in LIMIT_FILTERS if limits[name]]


def _quota(quotas: Quotas | None) -> dict[str, Any]:
    left = () if quotas is None else quotas.left
    return _build_filter(
        QUOTA_FILTER,
        {name: {"max_tokens": _cap(_PER_CALL * calls + 1), **_NEVER_FILLED} for name, calls in left},
        retry="" if quotas is None else format_datetime(quotas.resets.astimezone(UTC), usegmt=True),
        cost=_PER_CALL,
    )


def _build_filter(
    name: str,
    buckets: Mapping[str, dict[str, Any]],
    *,
    retry: str,
    default: dict[str, Any] | None = None,
    cost: int = 1,
) -> dict[str, Any]:
    """One bucket for each team that is limited, and `default` for all others together."""
    action = {"request_headers": {"header_name": TEAM_HEADER, "descriptor_key": "team"}}
    descriptors = [
        {"entries": [{"key": "team", "value": team}], "token_bucket": bucket}
        for team, bucket in sorted(buckets.items())
    ]
    return {
        "@type": LIMIT_KIND,
        "stat_prefix": name,
        "status": {"code": REFUSED_STATUS[name]},
        "filter_enabled": _ALWAYS,
        "filter_enforced": _ALWAYS,
        "token_bucket": default or _NEVER_EMPTY,
        "always_consume_default_token_bucket": False,
        "rate_limits": [{"actions": [action], "hits_addend": {"number": cost}}],
        "descriptors": descriptors,
        "response_headers_to_add": [build_header("retry-after", retry)] if retry else [],
    }


def _bucket(throttle: Throttle) -> dict[str, Any]:
    """Filled drop by drop: Envoy divides, so that a rate of 0.5 is a call every two seconds."""
    return {
        "max_tokens": _cap(throttle.burst),
        "tokens_per_fill": _cap(round(throttle.requests_per_second * _MILLE)),
        "fill_interval": f"{_MILLE}s",
    }


def _cap(tokens: int) -> int:
    return max(1, min(tokens, _UINT32))


def _pause(throttles: Collection[Throttle]) -> str:
    """Whole seconds after which the slowest of these takes a call again."""
    return str(max((math.ceil(1 / one.requests_per_second) for one in throttles), default=1))
