"""How much a team, and all callers together, may call: three filters, each in a file of its own (ECDS).

They are not in the listener, which cannot change without cutting streams. A file is replaced only if its
limit changes: its buckets then begin anew.
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
RATE_LIMIT_FILTERS = (RATE_FILTER, THROTTLE_FILTER, QUOTA_FILTER)
"""A team's rate, then the whole API's, then the team's day: what one refuses costs nothing of the next."""

LOCAL_RATE_LIMIT = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
LIMITED_STATUS = {RATE_FILTER: 429, THROTTLE_FILTER: 424, QUOTA_FILTER: 423}
"""Tells the filters apart in `local_replies`; callers always see 429. Envoy takes only statuses it knows."""

_UINT32 = 2**32 - 1
_MILLE = 1000
_NEVER_EMPTY = {"max_tokens": _UINT32, "tokens_per_fill": _UINT32, "fill_interval": "1s"}
_NEVER_FILLED = {"tokens_per_fill": 1, "fill_interval": "315360000s"}
"""A day's calls do not come back before the day is over, and then there is another file."""

_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
_TOKENS_PER_CALL = 2
"""What a call takes from the day's bucket: no bucket can be empty, but a single token is less than a call."""


def build_rate_limits(gateway: Gateway) -> dict[str, dict[str, Any]]:
    """Builds the three filters by name, whether or not they limit anything. Pure."""
    throttles = {team.name: team.throttle for team in gateway.teams if team.throttle is not None}
    whole = gateway.throttle
    return {
        RATE_FILTER: _build_filter(
            RATE_FILTER,
            {team: _build_bucket(throttle) for team, throttle in throttles.items()},
            retry_after=_longest_pause(throttles.values()),
        ),
        THROTTLE_FILTER: _build_filter(
            THROTTLE_FILTER,
            {},
            retry_after=_longest_pause([whole] if whole else []),
            default=_build_bucket(whole) if whole else _NEVER_EMPTY,
        ),
        QUOTA_FILTER: _build_quota(gateway.quotas),
    }


def list_active_filters(gateway: Gateway) -> list[str]:
    """Returns the names of the filters that limit anything; the others would only cost time. Pure."""
    is_active = {
        RATE_FILTER: any(team.throttle is not None for team in gateway.teams),
        THROTTLE_FILTER: gateway.throttle is not None,
        QUOTA_FILTER: gateway.quotas is not None and bool(gateway.quotas.left),
    }
    return [name for name in RATE_LIMIT_FILTERS if is_active[name]]


def _build_quota(quotas: Quotas | None) -> dict[str, Any]:
    left = () if quotas is None else quotas.left
    return _build_filter(
        QUOTA_FILTER,
        {team: {"max_tokens": _cap(_TOKENS_PER_CALL * calls + 1), **_NEVER_FILLED} for team, calls in left},
        retry_after="" if quotas is None else format_datetime(quotas.resets.astimezone(UTC), usegmt=True),
        tokens=_TOKENS_PER_CALL,
    )


def _build_filter(
    name: str,
    buckets: Mapping[str, dict[str, Any]],
    *,
    retry_after: str,
    default: dict[str, Any] | None = None,
    tokens: int = 1,
) -> dict[str, Any]:
    """Builds one bucket for each team that is limited, and `default` for all others together."""
    action = {"request_headers": {"header_name": TEAM_HEADER, "descriptor_key": "team"}}
    descriptors = [
        {"entries": [{"key": "team", "value": team}], "token_bucket": bucket}
        for team, bucket in sorted(buckets.items())
    ]
    return {
        "@type": LOCAL_RATE_LIMIT,
        "stat_prefix": name,
        "status": {"code": LIMITED_STATUS[name]},
        "filter_enabled": _ALWAYS,
        "filter_enforced": _ALWAYS,
        "token_bucket": default or _NEVER_EMPTY,
        "always_consume_default_token_bucket": False,
        "rate_limits": [{"actions": [action], "hits_addend": {"number": tokens}}],
        "descriptors": descriptors,
        "response_headers_to_add": [build_header("retry-after", retry_after)] if retry_after else [],
    }


def _build_bucket(throttle: Throttle) -> dict[str, Any]:
    """Envoy divides, and fills a bucket token by token: a rate of 0.5 is one call every two seconds."""
    return {
        "max_tokens": _cap(throttle.burst),
        "tokens_per_fill": _cap(round(throttle.requests_per_second * _MILLE)),
        "fill_interval": f"{_MILLE}s",
    }


def _cap(tokens: int) -> int:
    return max(1, min(tokens, _UINT32))


def _longest_pause(throttles: Collection[Throttle]) -> str:
    """Returns the whole seconds after which the slowest of these takes a call again."""
    return str(max((math.ceil(1 / throttle.requests_per_second) for throttle in throttles), default=1))
