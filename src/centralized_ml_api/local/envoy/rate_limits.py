"""How much a team, and all callers together, may call: three filters, each in a file of its own (ECDS).

They are not in the listener, which cannot change without cutting streams. A file is replaced only if its
limit changes: its buckets then begin anew.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/local_rate_limit_filter
"""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.error_shape import LONGEST_WAIT_SECONDS, STOP_RETRYING
from centralized_ml_api.api.http_date import render_http_date
from centralized_ml_api.local.admission.terms import TEAM_HEADER
from centralized_ml_api.local.envoy.api_keys import TEAM_FORMAT
from centralized_ml_api.local.envoy.headers import IF_PRESENT, build_header
from centralized_ml_api.plan.event import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centralized_ml_api.local.gateway import Gateway, Quotas

RATE_FILTER = "rate"
THROTTLE_FILTER = "throttle"
QUOTA_FILTER = "quota"
RATE_LIMIT_FILTERS = (RATE_FILTER, THROTTLE_FILTER, QUOTA_FILTER)
"""A team's rate, then the whole API's, then the team's day: what one refuses costs nothing of the next."""

LEFT_FILTER = "left"
"""The filter that says on responses what is left of a team's day, by OpenAI's names."""

_DAY_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
"""What the filter of the day adds to a response by itself, in the tokens of its bucket."""

LOCAL_RATE_LIMIT = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
JOINING = "join"
LIMITED_STATUS = {RATE_FILTER: 429, THROTTLE_FILTER: 424, QUOTA_FILTER: 423, JOINING: 421}
"""Tells the filters apart in `local_replies`; callers always see 429. Envoy takes only statuses it knows."""

_UINT32 = 2**32 - 1
_MILLE = 1000
_TEAM = f'request.headers["{TEAM_HEADER}"]'
_TEAM_OF_RESPONSE = f'response.headers["{TEAM_HEADER}"]'
"""The team, once the request is gone: CEL has the filter state as bytes, so it is put into a header first."""

_NEVER_EMPTY = {"max_tokens": _UINT32, "tokens_per_fill": _UINT32, "fill_interval": "1s"}
NOT_COUNTED = {"@type": LOCAL_RATE_LIMIT, "stat_prefix": "uncounted", "token_bucket": _NEVER_EMPTY}
"""For a route that refuses a call after these filters were chosen for it: no limit applies."""

_JOIN_THROTTLE = Throttle(requests_per_second=5, burst=100)
"""For each address: a hall may share one, and all of it joins at once."""

_JOIN_ADDRESSES = 1000
"""So many addresses have a bucket of their own at the same time."""

_NEVER_FILLED = {"tokens_per_fill": 1, "fill_interval": "315360000s"}
"""A day's calls do not come back before the day is over, and then there is another file."""

_NUMBER_BYTES = 24
"""How long a number beside a team may be, with what separates both."""

_VALUE_BYTES = 15 * 1024
"""How long the lists in the value of a header may be; Envoy takes values of 16 KiB.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/config/core/v3/base.proto (HeaderValue)
"""

_MOST_HEADERS = 10
"""How many headers Envoy adds to what a filter refuses.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto
"""

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
            headers=_build_team_headers({team: _pause(throttle) for team, throttle in throttles.items()}),
        ),
        THROTTLE_FILTER: _build_filter(
            THROTTLE_FILTER,
            {},
            headers=_build_retry_headers(_pause(whole)) if whole else [],
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


def build_join_limit() -> dict[str, Any]:
    """Builds the options, for a route, of the filter that limits how often one address may ask to join. Pure.

    It is not the whole API's limit: whoever floods the door must keep nobody from the models. An IPv6 network
    is one address.
    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_filters/local_rate_limit_filter
    """
    action = {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}
    every_address = {
        "entries": [{"key": "masked_remote_address"}],
        "token_bucket": _build_bucket(_JOIN_THROTTLE),
    }
    return _build_filter(JOINING, {}, headers=_build_retry_headers(_pause(_JOIN_THROTTLE))) | {
        "rate_limits": [{"actions": [action]}],
        "descriptors": [every_address],
        "max_dynamic_descriptors": _JOIN_ADDRESSES,
    }


def build_left_headers(gateway: Gateway) -> list[dict[str, Any]]:
    """Builds mutations of responses that say what is left of a team's day; none if no day is limited. Pure.

    The filter of the day tells the tokens in its bucket, which were as many as the day had calls left when it
    began to count. Calls that it has not seen, and teams without such a limit, get no headers.
    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes
    """
    quotas = gateway.quotas
    limited = dict(quotas.left) if quotas else {}
    days = {team.name: team.requests_per_day for team in gateway.teams if team.name in limited}
    if quotas is None or not days:
        return []
    left = f'int(response.headers["{_DAY_HEADERS[1]}"]) / {_TOKENS_PER_CALL}'
    until = f'int(timestamp("{quotas.resets.astimezone(UTC).isoformat()}")) - int(request.time)'
    limit_header, left_header, reset_header = (f"{header}-requests" for header in _DAY_HEADERS)
    told = [build_header(TEAM_HEADER, TEAM_FORMAT)]
    for piece in _list_in_pieces([*days], 2):
        limits = json.dumps({team: days[team] for team in piece})
        is_told = f'"{_DAY_HEADERS[1]}" in response.headers && {_TEAM_OF_RESPONSE} in {limits}'
        told += [
            build_header(limit_header, f'%CEL({is_told} ? {limits}[{_TEAM_OF_RESPONSE}] : "")%'),
            build_header(left_header, f'%CEL({is_told} ? {left} : "")%'),
            build_header(reset_header, f'%CEL({is_told} ? "s" : "")%'),
        ]
    told.append(build_header(reset_header, f"%CEL({until})%s", IF_PRESENT))
    removed = ({"remove": header} for header in (TEAM_HEADER, *_DAY_HEADERS))
    return [*({"append": header} for header in told), *removed]


def drop_own_headers() -> list[dict[str, Any]]:
    """Builds mutations that remove what a function says of its own limits, before we say ours. Pure."""
    return [{"remove": name} for header in _DAY_HEADERS for name in (header, f"{header}-requests")]


def _build_quota(quotas: Quotas | None) -> dict[str, Any]:
    left = () if quotas is None else quotas.left
    return _build_filter(
        QUOTA_FILTER,
        {team: {"max_tokens": _cap(_TOKENS_PER_CALL * calls + 1), **_NEVER_FILLED} for team, calls in left},
        headers=_build_day_headers(quotas.resets) if quotas else [],
        tokens=_TOKENS_PER_CALL,
    ) | {"enable_x_ratelimit_headers": "DRAFT_VERSION_03"}


def _build_filter(
    name: str,
    buckets: Mapping[str, dict[str, Any]],
    *,
    headers: list[dict[str, Any]],
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
        "response_headers_to_add": headers,
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


def _pause(throttle: Throttle) -> int:
    """Returns the whole seconds after which a bucket takes another call for certain."""
    return math.ceil(1 / throttle.requests_per_second)


def _build_retry_headers(seconds: int) -> list[dict[str, Any]]:
    """Says when to come back, and that a pause of minutes is not one to wait out within a call."""
    longer = [build_header(*STOP_RETRYING)] if seconds > LONGEST_WAIT_SECONDS else []
    return [build_header("retry-after", str(seconds)), *longer]


def _build_team_headers(pauses: Mapping[str, int]) -> list[dict[str, Any]]:
    """Says to each team its own pause; Envoy looks a team up only when it refuses a call.

    The usual pause comes first; for a team with another one, a later value replaces it. An expression that is
    false gives an empty value, which Envoy leaves out. Where Envoy would not take that many headers, each
    team is told the longest pause of all.
    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes
    """
    if len(set(pauses.values())) <= 1:
        return [header for seconds in set(pauses.values()) for header in _build_retry_headers(seconds)]
    usual, _ = Counter(pauses.values()).most_common(1)[0]
    others = {team: str(seconds) for team, seconds in sorted(pauses.items()) if seconds != usual}
    patient = sorted(team for team, seconds in pauses.items() if seconds > LONGEST_WAIT_SECONDS)
    said = [build_header("retry-after", str(usual))]
    for piece in _list_in_pieces([*others], 2):
        texts = json.dumps({team: others[team] for team in piece})
        said.append(build_header("retry-after", f'%CEL({_TEAM} in {texts} ? {texts}[{_TEAM}] : "")%'))
    name, value = STOP_RETRYING
    said += [
        build_header(name, f'%CEL({_TEAM} in {json.dumps(piece)} ? "{value}" : "")%')
        for piece in _list_in_pieces(patient, 1)
    ]
    return said if len(said) <= _MOST_HEADERS else _build_retry_headers(max(pauses.values()))


def _list_in_pieces(teams: list[str], times: int) -> Iterator[list[str]]:
    """Yields the teams in lists that an expression can have so many times, each team with a number."""
    longest = max((len(json.dumps(team)) for team in teams), default=0) + _NUMBER_BYTES
    most = _VALUE_BYTES // (times * longest)
    for begin in range(0, len(teams), most):
        yield teams[begin : begin + most]


def _build_day_headers(resets: datetime) -> list[dict[str, Any]]:
    """Says when the day ends, and until a minute before that a call is not to wait for it."""
    resets = resets.astimezone(UTC)
    almost = (resets - timedelta(seconds=LONGEST_WAIT_SECONDS)).isoformat(timespec="seconds")
    name, value = STOP_RETRYING
    return [
        build_header("retry-after", render_http_date(resets)),
        build_header(name, f'%CEL(request.time < timestamp("{almost}") ? "{value}" : "")%'),
    ]
