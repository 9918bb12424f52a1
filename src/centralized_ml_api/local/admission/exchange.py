"""What Envoy asks about a call, what it is told, and what it tells of ends: headers and bodies of HTTP. Pure.

`envoy/admission.lua` asks, and does what an answer says:

    POST /call                           200
    x-call: 192.0.2.1:4711 17803152001   x-verdict: go
    x-terms: 0f2a93                      x-holds: yes
    x-team: red

An answer's other headers are there where they say something. `x-body` says that the answer's body is the one
with which the call goes on; `x-model` and `x-stream` let its route be chosen again. A question about terms
that the service does not know is asked once more, with the terms before the call's own body; and if it does
not know the limits of teams that these name either, once more with both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.http import MODEL_STATE_HEADER
from centralized_ml_api.local.admission.account_book import CallId
from centralized_ml_api.local.admission.accounts import Ask
from centralized_ml_api.local.admission.endings import SURE_DETAILS, Ending
from centralized_ml_api.local.admission.prompts import NO_PROMPT, Prompt
from centralized_ml_api.local.admission.terms import ADMISSION_NAMESPACE, REFUSED, build_usage_format
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.local.admission.refusals import RefusalError

CALL_PATH, ENDS_PATH = "/call", "/ends"
"""Where Envoy asks about a call, and where it tells of ends."""

REFUSAL_HEADERS = ("retry-after", "x-should-retry", MODEL_STATE_HEADER)
"""The headers of a refusal that its caller gets."""

REFUSAL_END = '"}}'
"""What follows the id of the request in the body of a refusal."""

_TOKENS = ("in", "cached", "cache_writes", "out")
_NOTED = (*_TOKENS, "unsure", "broken_off")
_MOST_TOKENS = 10**12
"""No call has that many; what they cost can be added up."""

_NONE = "-"
_END = re.compile(r"<end (\S+) (\d+) (\d+) (\S+) (\d+)" + r" (\S+)" * len(_NOTED) + r" ([^\n]*)\n")


@record
class Request:
    """One request of Envoy's: its path, its headers, its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@record
class Response:
    """What Envoy gets: headers, and a body."""

    headers: Mapping[str, str]
    body: bytes = b""


UNKNOWN_TERMS = Response({"x-verdict": "terms"})
"""Asks for the terms."""

UNKNOWN_LIMITS = Response({"x-verdict": "limits"})
"""Asks for the terms and the limits of teams that they name."""

OVER = Response({"x-verdict": "over"})
"""Says that the call is over already: nobody waits for an answer."""


@record
class Call:
    """What is known of a call besides its body.

    `identity` is the same when its end is told: the address of its connection, which has one call at a time,
    and the microsecond at which Envoy first asked about it. `caller` takes turns with others: a team, or
    without teams an address.
    """

    identity: CallId
    team: str
    caller: str
    content_type: str = ""


@record
class Admission:
    """A call that may go on: to which entry, and with which body, None for its own.

    `chosen` is what the routes are to know of a body that names the entry; the call is asked about once more,
    on its new route. `prompt` is what the call has its model read. With `hides_usage`, its caller
    must not see the event with its tokens at the end of the stream. `ask` is what it may spend, None if
    nothing limits that; `left` is what the headers of its answer say of what is left. `holds` says whether
    the call has a place or a reservation, so that its end must be told; with `is_told_later`, a moment later
    is early enough, together with others.
    """

    name: str
    body: bytes | None = None
    chosen: dict[str, Any] | None = None
    prompt: Prompt = NO_PROMPT
    hides_usage: bool = False
    ask: Ask | None = None
    left: Mapping[str, str] = field(default_factory=dict)
    holds: bool = False
    is_told_later: bool = False


def read_call(request: Request) -> Call:
    """Reads which call a question is about."""
    headers = request.headers
    address, _, began = headers["x-call"].rpartition(" ")
    team = headers.get("x-team", "")
    caller = team or address.rpartition(":")[0]
    return Call((address, int(began)), team, caller, headers.get("x-type", ""))


def render_admission(admission: Admission) -> Response:
    """Renders the answer about a call that may go on."""
    headers = {"x-verdict": "go"}
    if admission.holds:
        headers["x-holds"] = "later" if admission.is_told_later else "yes"
    if admission.body is not None:
        headers["x-body"] = "yes"
    if admission.hides_usage:
        headers["x-hides-usage"] = "yes"
    if admission.left:
        headers["x-left"] = " ".join(f"{name}={value}" for name, value in admission.left.items())
    if admission.chosen is not None:
        headers["x-model"] = quote(admission.chosen["model"])  # it may be any text
        headers["x-stream"] = "yes" if admission.chosen["stream"] else "no"
    return Response(headers, admission.body or b"")


def render_document(body: bytes) -> Response:
    """Renders a document as the whole answer to a call."""
    return Response({"x-verdict": "answer"}, body)


def render_refusal(refusal: RefusalError) -> Response:
    """Renders what the caller gets of a refusal, up to the id of its request: Envoy appends the rest."""
    headers = {
        "x-verdict": "refuse",
        "x-status": str(int(refusal.error.status)),
        "x-said": f"{REFUSED}:{refusal.error.code}",
    }
    if refusal.retry_after_seconds is not None:
        headers["retry-after"] = str(refusal.retry_after_seconds)
    if refusal.model_state:
        headers[MODEL_STATE_HEADER] = refusal.model_state
    if refusal.stops:
        name, value = errors.STOP_RETRYING
        headers[name] = value
    return Response(headers, errors.render_error(refusal.error, "").removesuffix(REFUSAL_END).encode())


def build_end_format(key: str = "call") -> str:
    """Builds Envoy's format of what it tells of the end of a call; `read_ends` finds it anywhere.

    `key` is where the metadata have what identifies the call, see `ADMISSION_NAMESPACE`.
    """
    call = f"%DYNAMIC_METADATA({ADMISSION_NAMESPACE}:{key})%"
    noted = " ".join(map(build_usage_format, _NOTED))
    return f"<end {call} %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_SENT% {noted} %RESPONSE_CODE_DETAILS%\n"


def read_ends(told: bytes) -> Iterator[tuple[CallId, Ending]]:
    """Yields which calls are over, and how each ended."""
    for address, began, status, flags, sent, *values, details in _END.findall(told.decode(errors="replace")):
        noted = {name: value for name, value in zip(_NOTED, values, strict=True) if value != _NONE}
        tokens = {name: count for name in _TOKENS if (count := _read_count(noted.get(name))) is not None}
        yield (
            (address, int(began)),
            Ending(
                status=int(status),
                flags=frozenset(flags.split(",")) - {_NONE},
                is_sure=details in SURE_DETAILS and "unsure" not in noted,
                read=tokens.get("in"),
                cached=tokens.get("cached", 0),
                cache_writes=tokens.get("cache_writes", 0),
                written=tokens.get("out"),
                is_broken_off="broken_off" in noted,
                bytes_out=int(sent),
            ),
        )


def _read_count(told: str | None) -> int | None:
    """Reads a number as protocol buffers write it; None for what is no count, as servers may report."""
    try:
        count = int(float(told or "nan"))
    except (ValueError, OverflowError):
        return None
    return count if 0 <= count <= _MOST_TOKENS else None
