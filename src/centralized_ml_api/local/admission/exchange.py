"""What Envoy asks about a call, and what it is told: the messages of `ext_proc`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import MODEL_STATE_HEADER
from centralized_ml_api.local.admission import envoy_messages_pb2 as envoy
from centralized_ml_api.local.admission.accountant import Ask
from centralized_ml_api.local.admission.prompts import NO_PROMPT, Prompt
from centralized_ml_api.local.admission.terms import (
    ADDRESS_ATTRIBUTE,
    BODY_NAMESPACE,
    CHOSEN_HEADER,
    HIDES_USAGE,
    LIMITS_NAMESPACE,
    REFUSED,
    TEAM_HEADER,
    TIME_ATTRIBUTE,
)
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.local.admission.refusals import RefusalError

_OK = 200
_ATTRIBUTES = "envoy.filters.http.ext_proc"


@record
class Call:
    """What is known of a call before its body is read.

    `identity` is the same when its end is told: the address of its connection, which has one call at a time,
    and the microsecond of its beginning. `caller` takes turns with others: a team, or without teams an
    address.
    """

    identity: tuple[str, int]
    team: str
    caller: str
    has_body: bool
    content_type: str = ""


@record
class Admission:
    """A call that may go on: to which entry, and with which body, None for its own.

    `chosen` is what the routes are to know of a body that names the entry; the call is asked about once more,
    on its new route. `prompt` is what the call has its model read. With `hides_usage`, its caller
    must not see the event with its tokens at the end of the stream. `ask` is what it may spend, None if
    nothing limits that; `left` is what the headers of its answer say of what is left.
    """

    name: str
    body: bytes | None = None
    chosen: dict[str, Any] | None = None
    prompt: Prompt = NO_PROMPT
    hides_usage: bool = False
    ask: Ask | None = None
    left: Mapping[str, str] = field(default_factory=dict)


def read_call(message: envoy.ProcessingRequest) -> Call:
    """Reads the headers of a call."""
    headers = {header.key: header.raw_value.decode() for header in message.request_headers.headers.headers}
    attributes = message.attributes[_ATTRIBUTES].fields
    address = attributes[ADDRESS_ATTRIBUTE].string_value
    begun = envoy.AccessLogCommon()
    begun.start_time.FromJsonString(attributes[TIME_ATTRIBUTE].string_value)
    team = headers.get(TEAM_HEADER, "")
    return Call(
        identity=(address, begun.start_time.ToMicroseconds()),
        team=team,
        caller=team or address.rpartition(":")[0],
        has_body=not message.request_headers.end_of_stream,
        content_type=headers.get("content-type", ""),
    )


def render_admission(admission: Admission, *, has_read_body: bool) -> envoy.ProcessingResponse:
    """Renders the answer about a call that may go on.

    Args:
        admission: What goes on.
        has_read_body: Whether the message to be answered has the body.
    """
    common = envoy.CommonResponse(clear_route_cache=admission.chosen is not None)
    if admission.chosen is not None:
        # Without a new header Envoy would not look for another route. No model ever sees this one.
        _set_header(common.header_mutation, CHOSEN_HEADER, "yes")
    if admission.body is not None:
        common.body_mutation.body = admission.body
        _set_header(common.header_mutation, "content-length", str(len(admission.body)))
    if has_read_body:
        response = envoy.ProcessingResponse(request_body=envoy.BodyResponse(response=common))
    else:
        response = envoy.ProcessingResponse(request_headers=envoy.HeadersResponse(response=common))
    if admission.left:
        response.dynamic_metadata.update({LIMITS_NAMESPACE: dict(admission.left)})
    if admission.hides_usage:
        response.dynamic_metadata.update({BODY_NAMESPACE: {HIDES_USAGE: True}})
    if admission.chosen is not None:
        response.dynamic_metadata.update({BODY_NAMESPACE: admission.chosen})
    return response


def render_document(body: bytes) -> envoy.ProcessingResponse:
    """Renders a document as the whole answer to a call."""
    immediate = envoy.ImmediateResponse(body=body, details=REFUSED)
    immediate.status.code = _OK
    _set_header(immediate.headers, "content-type", "application/json")
    return envoy.ProcessingResponse(immediate_response=immediate)


def render_refusal(refusal: RefusalError, request_id: str) -> envoy.ProcessingResponse:
    """Renders what the caller gets of a refusal.

    Args:
        refusal: The refusal.
        request_id: The id of the request.
    """
    body = errors.render_error(refusal.error, request_id).encode()
    immediate = envoy.ImmediateResponse(body=body, details=f"{REFUSED}:{refusal.error.code}")
    immediate.status.code = refusal.error.status
    _set_header(immediate.headers, "content-type", "application/json")
    if refusal.retry_after_seconds is not None:
        _set_header(immediate.headers, "retry-after", str(refusal.retry_after_seconds))
    if refusal.model_state:
        _set_header(immediate.headers, MODEL_STATE_HEADER, refusal.model_state)
    if refusal.stops:
        _set_header(immediate.headers, *errors.STOP_RETRYING)
    response = envoy.ProcessingResponse(immediate_response=immediate)
    if refusal.left:
        response.dynamic_metadata.update({LIMITS_NAMESPACE: dict(refusal.left)})
    return response


def _set_header(headers: envoy.HeaderMutation, name: str, value: str) -> None:
    headers.set_headers.add().header.MergeFrom(envoy.HeaderValue(key=name, raw_value=value.encode()))
