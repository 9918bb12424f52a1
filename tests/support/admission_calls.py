"""What Envoy asks of the admission service about a call, and tells it of the end."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from centralized_ml_api.local.admission.exchange import (
    CALL_PATH,
    REFUSAL_END,
    Request,
    Response,
    build_end_format,
)
from centralized_ml_api.local.admission.service import LIMITS_BYTES, TERMS_BYTES
from centralized_ml_api.local.admission.terms import (
    NO_LIMITS,
    TeamLimits,
    name_terms,
    render_limits,
    render_terms,
)

if TYPE_CHECKING:
    from centralized_ml_api.local.admission.service import AdmissionService
    from centralized_ml_api.local.admission.terms import RouteTerms

BEGAN = 1_795_883_881_788_981
"""The microsecond at which every call is asked about."""


def identify(number: int, address: str = "192.0.2.1") -> tuple[str, int]:
    """Returns what identifies the call of a connection from that port."""
    return f"{address}:{number}", BEGAN


def build_question(
    terms: RouteTerms,
    number: int,
    body: Any = b"",
    *,
    team: str = "",
    content_type: str = "",
    tells_terms: bool = True,
    tells_limits: bool = True,
) -> Request:
    """Builds what Envoy asks about the call of a connection; a body that is no bytes becomes JSON.

    The limits of teams are told with the terms, if there are any.
    """
    limits = TeamLimits(terms.requests_at_once, terms.limits)
    shared = "" if limits == NO_LIMITS else render_limits(limits)
    text = render_terms(replace(terms, limits_name=name_terms(shared) if shared else ""))
    shared = shared if tells_terms and tells_limits else ""
    told = f"{text}{shared}".encode() if tells_terms else b""
    address, began = identify(number)
    headers = {"x-call": f"{address} {began}", "x-terms": name_terms(text), "x-type": content_type}
    headers |= {"x-team": team} if team else {}
    headers |= {TERMS_BYTES: str(len(told))} if told else {}
    headers |= {LIMITS_BYTES: str(len(shared))} if shared else {}
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(CALL_PATH, headers, told + sent)


async def wait_for_answer(service: AdmissionService, question: Request) -> Response:
    """Asks, and returns what the service answers, at once or later."""
    answer = service.answer(question)
    return answer if isinstance(answer, Response) else await answer


def goes_on(answer: Response) -> bool:
    """Returns whether the answer lets the call go on."""
    return answer.headers["x-verdict"] == "go"


def read_chosen(answer: Response) -> dict[str, Any]:
    """Returns what the routes get to know of a body."""
    return {"model": unquote(answer.headers["x-model"]), "stream": answer.headers["x-stream"] == "yes"}


def read_refusal(answer: Response) -> tuple[int, dict[str, str], dict[str, str]]:
    """Returns status, error and headers of a refusal, as its caller gets them."""
    headers = dict(answer.headers)
    assert headers.pop("x-verdict") == "refuse"
    error = json.loads(f"{answer.body.decode()}req-1{REFUSAL_END}")["error"]
    assert error["request_id"] == "req-1"
    assert headers.pop("x-said") == f"admission_refused:{error['code']}"
    return int(headers.pop("x-status")), error, headers


def render_end(call: tuple[str, int], **values: object) -> bytes:
    """Renders what Envoy tells of an end; `values` by the names of its formats, such as `RESPONSE_FLAGS`.

    `in_` and the like are what is noted of the tokens.
    """
    told = {
        "RESPONSE_CODE": 200,
        "RESPONSE_FLAGS": "-",
        "BYTES_SENT": 0,
        "RESPONSE_CODE_DETAILS": "via_upstream",
    }
    noted = {name.rstrip("_"): value for name, value in values.items() if name.islower()}
    told |= {name: value for name, value in values.items() if name.isupper()}
    text = build_end_format().replace("%DYNAMIC_METADATA(admission:call)%", f"{call[0]} {call[1]}")
    for name, value in told.items():
        text = text.replace(f"%{name}%", str(value))
    found = re.sub(
        r"%FILTER_STATE\(mlapi\.usage\.(\w+):PLAIN\)%", lambda name: str(noted.pop(name[1], "-")), text
    )
    assert not noted, "no such thing is told"
    assert "%" not in found
    return f"\x0a\x12 some bytes before {found}".encode()
