"""How Envoy words its own failures: its local replies, in the error shape of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.envoy.admission import (
    IS_ANSWERED,
    IS_REFUSED,
    IS_UNANSWERED,
    build_refusal_body,
)
from centralized_ml_api.local.envoy.body_metadata import MODEL_NAMED
from centralized_ml_api.local.envoy.direct_responses import build_error_body
from centralized_ml_api.local.envoy.headers import (
    build_header,
    build_response_headers,
    build_retry_after,
)
from centralized_ml_api.local.envoy.log_filters import all_of, build_expression_filter, has_flags, has_status
from centralized_ml_api.local.envoy.rate_limits import (
    JOINING,
    LIMITED_STATUS,
    QUOTA_FILTER,
    RATE_FILTER,
    THROTTLE_FILTER,
)
from centralized_ml_api.local.envoy.refused_bodies import body_too_large

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits

_MIB = 1024 * 1024
_IS_DIRECT = build_expression_filter("response.code_details == 'direct_response'")
_NO_CREDENTIAL = build_expression_filter("response.code_details == 'failed_to_inject_credential'")
_LIMITED = {
    LIMITED_STATUS[RATE_FILTER]: errors.TOO_MANY_REQUESTS.with_message("team_rate"),
    LIMITED_STATUS[THROTTLE_FILTER]: errors.TOO_MANY_REQUESTS.with_message("api_rate"),
    LIMITED_STATUS[QUOTA_FILTER]: errors.QUOTA_EXCEEDED.with_message("team_quota"),
    LIMITED_STATUS[JOINING]: errors.JOIN_LIMITED.with_message("requests"),
}
"""What each rate limit filter answers, by the status that tells the filters apart."""


def build_local_reply_config(limits: Limits) -> dict[str, Any]:
    """Builds the `local_reply_config`: the first mapper that matches sets status, body and headers. Pure.

    Direct responses pass here too, unchanged.
    """
    stream_too_slow = _too_slow(limits.stream_idle_seconds)
    return {
        "mappers": [
            # What a route answers by itself stands, and so do the admission service's own words.
            {"filter": _IS_DIRECT},
            {"filter": IS_ANSWERED, "headers_to_add": build_response_headers()},
            {
                "filter": IS_REFUSED,
                "body_format_override": build_refusal_body(),
                "headers_to_add": build_response_headers(),
            },
            _build_mapper(IS_UNANSWERED, errors.MODEL_NOT_READY),
            _build_mapper(all_of(has_flags("UT"), _has_metadata(MODEL_NAMED)), stream_too_slow),
            # The gateway has the provider's key before it has the route.
            _build_mapper(_NO_CREDENTIAL, errors.MODEL_NOT_READY),
            _build_mapper(has_flags("UT"), _too_slow(limits.response_seconds)),
            _build_mapper(has_flags("SI"), stream_too_slow),
            _build_mapper(has_flags("UC", "UR", "UPE"), errors.MODEL_FAILED),
            _build_mapper(has_flags("UH", "UF", "NC", "URX"), errors.MODEL_NOT_READY),
            _build_mapper(has_flags("UO", "OM"), errors.OVERLOADED),
            _build_mapper(has_flags("NR"), errors.UNKNOWN_PATH),
            *(_build_mapper(has_status(status), error) for status, error in _LIMITED.items()),
            _build_mapper(
                all_of(has_status(404), _has_header(":path", {"string_match": {"exact": "*"}})),
                errors.UNKNOWN_PATH,
            ),
            # Not even the headers of such a request could be read.
            _build_mapper(
                all_of(has_status(501), _has_header(":path", {"present_match": False})),
                errors.UNKNOWN_TRANSFER_CODING,
            ),
            _build_mapper(
                all_of(has_status(403), _has_header("upgrade", {"present_match": True})), errors.FORBIDDEN
            ),
            # Envoy's only 500 here: the buffer that holds a response until it is complete is full.
            _build_mapper(
                has_status(500),
                errors.ANSWER_TOO_LARGE.with_message("over_limit", megabytes=limits.response_bytes // _MIB),
            ),
            *(_build_mapper(has_status(error.status), error) for error in _list_by_status(limits)),
        ],
    }


def _list_by_status(limits: Limits) -> tuple[errors.ApiError, ...]:
    """Returns the errors whose status alone says what happened."""
    return (
        errors.MALFORMED_REQUEST,
        errors.UNAUTHORIZED,
        errors.NOT_ALLOWED,
        errors.REQUEST_TIMEOUT,
        body_too_large(limits),
        errors.UPGRADE_REQUIRED,
        errors.HEADERS_TOO_LARGE.with_message(
            "over_limit", kib=limits.headers_kib, lines=limits.headers_count
        ),
        errors.MODEL_FAILED,
        errors.OVERLOADED,
        _too_slow(limits.response_seconds),
    )


def _too_slow(seconds: float) -> errors.ApiError:
    return errors.MODEL_TOO_SLOW.with_message("after", seconds=f"{seconds:g}")


def _build_mapper(condition: dict[str, Any], error: errors.ApiError) -> dict[str, Any]:
    more = {
        errors.MODEL_NOT_READY.status: [build_retry_after()],
        errors.UNAUTHORIZED.status: [build_header(*errors.CHALLENGE)],
    }
    return {
        "filter": condition,
        "status_code": error.status,
        "body_format_override": build_error_body(error),
        "headers_to_add": [*build_response_headers(), *more.get(error.status, ())],
    }


def _has_metadata(matcher: dict[str, Any]) -> dict[str, Any]:
    """Matches calls to the OpenAI-compatible paths by their body."""
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": False}}


def _has_header(name: str, matcher: dict[str, Any]) -> dict[str, Any]:
    return {"header_filter": {"header": {"name": name, **matcher}}}
