"""What Envoy's script makes of what it is answered about a call: any answer, by a real Envoy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.local.admission.envoy_connection import render_response
from centralized_ml_api.local.admission.exchange import Response
from centralized_ml_api.local.admission.service import LIMITS_BYTES, TERMS_BYTES
from centralized_ml_api.local.admission.terms import (
    EntryTerms,
    TeamLimits,
    name_terms,
    parse_limits,
    parse_terms,
)
from centralized_ml_api.local.gateway import Gateway, ServedRoute, TeamAccess, Upstream
from support.odd_admission import GO, OddAdmission, serving_oddly
from support.odd_server import OddServer
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.background import Background
    from support.running_gateway import RunningGateway

pytestmark = pytest.mark.slow  # an Envoy for all of them

BODY = b'{"x": 1}'


@pytest.fixture(scope="module")
def server() -> Iterator[OddServer]:
    with OddServer() as server:
        yield server


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, background: Background, server: OddServer
) -> Iterator[tuple[RunningGateway, OddAdmission]]:
    route = ServedRoute("same", "odd", "/same", ("content-type",), admission=EntryTerms(model="org/own"))
    team = TeamAccess("red", ("red-key",), requests_at_once=1000)
    gateway = Gateway((Upstream("odd", (server.port,)),), (route,), teams=(team,))
    with (
        start_gateway(tmp_path_factory.mktemp("gateway"), background, gateway) as running,
        serving_oddly(running) as service,
    ):
        yield running, service


def call(
    running: tuple[RunningGateway, OddAdmission], *answers: Response | bytes, body: bytes = BODY
) -> tuple[int, bytes]:
    """Calls, while the service gives these answers; returns the status and the body."""
    gateway, service = running
    service.asked.clear()
    service.answers = [each if isinstance(each, bytes) else render_response(each) for each in answers]
    answer = gateway.call("/same", body, {"x-api-key": "red-key", "content-type": "text/x"})
    assert not service.answers, "each was asked for"
    return answer.status, answer.body


def test_a_question_names_the_call_and_has_no_key(running: tuple[RunningGateway, OddAdmission]) -> None:
    assert call(running, GO) == (200, BODY)
    asked = running[1].asked[0]
    assert asked.body == BODY
    assert (asked.headers["x-team"], asked.headers["x-type"]) == ("red", "text/x")
    assert asked.headers["x-call"].startswith("127.0.0.1:")
    assert "red-key" not in str(asked)


def test_terms_that_the_service_does_not_know_come_before_the_body(
    running: tuple[RunningGateway, OddAdmission],
) -> None:
    assert call(running, Response({"x-verdict": "terms"}), GO) == (200, BODY)
    first, second = [request for request in running[1].asked if request.path == "/call"]
    length = int(second.headers["x-terms-bytes"])
    assert name_terms(second.body[:length].decode()) == first.headers["x-terms"]
    assert (second.body[length:], second.headers["x-call"]) == (BODY, first.headers["x-call"])


def test_the_limits_of_teams_come_behind_the_terms_if_the_service_does_not_know_them_either(
    running: tuple[RunningGateway, OddAdmission],
) -> None:
    unknown = [Response({"x-verdict": what}) for what in ("terms", "limits")]
    assert call(running, *unknown, GO) == (200, BODY)
    first, second, third = [request for request in running[1].asked if request.path == "/call"]
    length, of_limits = (int(third.headers[name]) for name in (TERMS_BYTES, LIMITS_BYTES))
    terms = third.body[: length - of_limits]
    assert (terms, int(second.headers[TERMS_BYTES])) == (second.body[: len(terms)], len(terms))
    assert name_terms(terms.decode()) == first.headers["x-terms"]
    limits = third.body[len(terms) : length].decode()
    assert parse_limits(limits) == TeamLimits({"red": 1000})
    assert parse_terms(terms.decode()).limits_name == name_terms(limits)
    assert (third.body[length:], third.headers["x-call"]) == (BODY, first.headers["x-call"])


@pytest.mark.parametrize("length", [1, 100_000, 5_000_000])
def test_the_answers_body_takes_the_place_of_the_calls(
    running: tuple[RunningGateway, OddAdmission], length: int
) -> None:
    written = b"x" * length
    assert call(running, Response({"x-verdict": "go", "x-body": "yes"}, written)) == (200, written)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        Response({}),
        Response({"x-verdict": "over"}),
        Response({"x-verdict": "perhaps"}, b"{}"),
        Response({"x-verdict": "refuse", "x-said": "admission_refused:x"}, b"{}"),
        Response({"x-verdict": "refuse", "x-said": "admission_refused:x", "x-status": "99"}, b"{}"),
        Response({"x-verdict": "go", "x-body": "yes"}),
    ],
)
def test_nobody_gets_in_by_an_answer_that_is_none(
    running: tuple[RunningGateway, OddAdmission], server: OddServer, answer: Response | bytes
) -> None:
    before = len(server.asked)
    status, body = call(running, answer)
    assert status == 503
    assert errors.MODEL_NOT_READY.message.encode() in body
    assert len(server.asked) == before


def test_a_service_that_forgets_terms_at_once_is_not_asked_for_ever(
    running: tuple[RunningGateway, OddAdmission],
) -> None:
    unknown = Response({"x-verdict": "terms"})
    assert call(running, unknown, unknown)[0] == 503
