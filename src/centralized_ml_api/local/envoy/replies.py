"""What Envoy itself answers: the error shape as bodies, for routes and for Envoy's own failures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.envoy.headers import REQUEST_ID, build_answer_headers, build_header
from centralized_ml_api.local.envoy.rate_limits import (
    QUOTA_FILTER,
    RATE_FILTER,
    REFUSED_STATUS,
    THROTTLE_FILTER,
)
from centralized_ml_api.local.envoy.stats import NAMES_A_MODEL, READ

if TYPE_CHECKING:
    from centralized_ml_api.local.envoy.settings import Limits

_MIB = 1024 * 1024
_LIMITED = {
    REFUSED_STATUS[RATE_FILTER]: errors.TOO_MANY_REQUESTS.with_message("team_rate"),
    REFUSED_STATUS[THROTTLE_FILTER]: errors.TOO_MANY_REQUESTS.with_message("api_rate"),
    REFUSED_STATUS[QUOTA_FILTER]: errors.QUOTA_EXCEEDED.with_message("team_quota"),
}
"""What the limits say, by the status that tells them apart."""


def build_json_format(document: dict[str, Any]) -> dict[str, Any]:
    """A body in which the text `REQUEST_ID` stands for the id of the request.

    Everything else is literal: the document is JSON text already, with `%` doubled for Envoy's formatter.
    """
    literal = json.dumps(document).replace("%", "%%").replace(REQUEST_ID.replace("%", "%%"), REQUEST_ID)
    return {
        "text_format_source": {"inline_string": literal},
        "content_type": "application/json",
    }


def build_text_format(text: str, content_type: str) -> dict[str, Any]:
    """A body that is this text, whatever is in it."""
    return {
        "text_format_source": {"inline_string": text.replace("%", "%%")},
        "content_type": content_type,
    }


def build_error_format(error: errors.ApiError) -> dict[str, Any]:
    """The body of one error."""
    return build_json_format(dict(errors.build_error(error, REQUEST_ID)))


def build_local_replies(limits: Limits) -> dict[str, Any]:
    """How Envoy words its own failures: the first mapper that matches gives status, body and headers.

    Routes that answer by themselves pass here too, and are left alone: none of their statuses is matched
    without a flag.
    """
    return {
        "mappers": [
            _mapper(_both(_flags("UT"), _said(NAMES_A_MODEL)), _too_slow(limits.stream_idle_seconds)),
            _mapper(_flags("UT"), _too_slow(limits.answer_seconds)),
            _mapper(_flags("SI"), _too_slow(limits.stream_idle_seconds)),
            _mapper(_flags("UC", "UR", "UPE"), errors.MODEL_FAILED),
            _mapper(_flags("UH", "UF", "NC", "URX"), errors.MODEL_NOT_READY),
            _mapper(_flags("UO", "OM"), errors.OVERLOADED),
            _mapper(_flags("NR"), errors.UNKNOWN_PATH),
            *(_mapper(_status(status), error) for status, error in _LIMITED.items()),
            # These two statuses a route may answer too: it has a path, and one with a slash.
            _mapper(_both(_status(404), _path({"exact": "*"})), errors.UNKNOWN_PATH),
            _mapper(_both(_status(501), _no_path()), errors.UNKNOWN_TRANSFER_CODING),
            # A body that names no model, or one that the team may not call: its route has said so.
            {"filter": _both(_either(_status(400), _status(403)), _said(READ))},
            _mapper(_both(_status(403), _header("upgrade")), errors.FORBIDDEN),
            # The one 500 that Envoy makes here: what holds an answer until it is complete is full.
            _mapper(_status(500), _answer_too_large(limits)),
            *(_mapper(_status(error.status), error) for error in _by_status(limits)),
        ],
    }


def _by_status(limits: Limits) -> tuple[errors.ApiError, ...]:
    """Errors of which the status alone says what happened."""
    return (
        errors.MALFORMED_REQUEST,
        errors.UNAUTHORIZED,
        errors.NOT_ALLOWED,
        errors.REQUEST_TIMEOUT,
        errors.BODY_TOO_LARGE.with_message(
            "over_limit", megabytes=limits.body_bytes // _MIB, bytes=limits.body_bytes
        ),
        errors.UPGRADE_REQUIRED,
        errors.HEADERS_TOO_LARGE.with_message(
            "over_limit", kib=limits.headers_kib, lines=limits.headers_count
        ),
        errors.MODEL_FAILED,
        _too_slow(limits.answer_seconds),
    )


def _answer_too_large(limits: Limits) -> errors.ApiError:
    return errors.ANSWER_TOO_LARGE.with_message("over_limit", megabytes=limits.answer_bytes // _MIB)


def _too_slow(seconds: float) -> errors.ApiError:
    return errors.MODEL_TOO_SLOW.with_message("after", seconds=f"{seconds:g}")


def _mapper(when: dict[str, Any], error: errors.ApiError) -> dict[str, Any]:
    retry = [build_header("retry-after", str(errors.RETRY_AFTER_SECONDS))] if error.status == 503 else []  # noqa: PLR2004
    return {
        "filter": when,
        "status_code": error.status,
        "body_format_override": build_error_format(error),
        "headers_to_add": [*build_answer_headers(), *retry],
    }


def _flags(*flags: str) -> dict[str, Any]:
    """Matches Envoy's own words for what went wrong.

    Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage
    """
    return {"response_flag_filter": {"flags": list(flags)}}


def _said(matcher: dict[str, Any]) -> dict[str, Any]:
    """Matches calls of the OpenAI-compatible paths by their body."""
    return {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": False}}


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {"and_filter": {"filters": [one, other]}}


def _either(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {"or_filter": {"filters": [one, other]}}


def _path(matcher: dict[str, str]) -> dict[str, Any]:
    return {"header_filter": {"header": {"name": ":path", "string_match": matcher}}}


def _no_path() -> dict[str, Any]:
    """Matches a request of which not even the headers could be read."""
    return {"header_filter": {"header": {"name": ":path", "present_match": False}}}


def _header(name: str) -> dict[str, Any]:
    return {"header_filter": {"header": {"name": name, "present_match": True}}}


def _status(status: int) -> dict[str, Any]:
    value = {"default_value": status, "runtime_key": f"gateway.status_{status}"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}
