"""The terms that travel with each question of the gateway."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.admission.accounts import Limit
from centralized_ml_api.local.admission.terms import (
    EntryTerms,
    RouteTerms,
    TeamLimits,
    parse_limits,
    parse_terms,
    render_limits,
    render_terms,
)

TERMS = RouteTerms(
    entries={
        "chat": EntryTerms(4, body_rules="llama.cpp", slots=4, context=2048, max_output_tokens=100),
        "big": EntryTerms(model="größer/70B"),
    },
    wait_seconds=29.5,
    chooses=True,
    limits_name="0f2a93",
    requests_per_day={"red": 100},
)


LIMITS = TeamLimits({"red": 3}, {"grün": (Limit("grün", "tokens", "day", 500),), "": ()})


def test_they_arrive_as_they_were_sent() -> None:
    assert parse_terms(render_terms(TERMS)) == TERMS
    assert parse_limits(render_limits(LIMITS)) == LIMITS


def test_the_limits_of_teams_are_not_in_the_terms_of_each_route() -> None:
    limited = TERMS.limited_by(LIMITS)
    assert (limited.requests_at_once, limited.limits) == (LIMITS.requests_at_once, LIMITS.limits)
    assert render_terms(limited) == render_terms(TERMS)
    assert parse_terms(render_terms(limited)).limited_by(LIMITS) == limited


def test_they_are_ascii_on_one_line() -> None:
    for text in (render_terms(TERMS), render_limits(LIMITS)):
        assert text.isascii()
        assert "\n" not in text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"entries": {"a": {"seats": 1}}, "wait_seconds": 1}'])
def test_something_else_is_no_terms(text: str) -> None:
    with pytest.raises(ValueError, match=r"^these are no terms|^Expecting"):
        parse_terms(text)
    with pytest.raises(ValueError, match=r"^these are no limits|^Expecting"):
        parse_limits(text)


def test_a_body_is_read_only_where_it_decides_something() -> None:
    assert not RouteTerms({"ocr": EntryTerms(1)}, 29).reads_body
    assert RouteTerms({"ocr": EntryTerms(1)}, 29, chooses=True).reads_body
    assert RouteTerms({"big": EntryTerms(model="big/70B")}, 29).reads_body
    assert RouteTerms({"chat": EntryTerms(4, body_rules="llama.cpp")}, 29).reads_body


def test_servers_share_the_places_by_their_slots() -> None:
    assert EntryTerms(8, slots=4).servers == 2
    assert EntryTerms(4, slots=4).servers == 1
    assert EntryTerms(3).servers == 1
    assert EntryTerms().servers == 1
