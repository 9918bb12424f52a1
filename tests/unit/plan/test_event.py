from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from centralized_ml_api.config.schema import Event
from centralized_ml_api.config.shape.read import read_object
from centralized_ml_api.plan.event import DEFAULT_THROTTLE, EventPlan, Throttle, build_event, who_may_call


def event(**written: object) -> EventPlan:
    return build_event(read_object(Event, written))


def test_without_an_event_the_api_is_public_and_throttled() -> None:
    assert build_event(None) == EventPlan((), DEFAULT_THROTTLE, None, None)


def test_a_rate_without_teams_is_that_of_the_whole_api() -> None:
    assert event(requests_per_second=2.5).throttle == Throttle(2.5, 5)


def test_the_rate_of_the_event_is_each_teams_own() -> None:
    red, blue = event(requests_per_second=2, teams=["red", "blue"]).teams
    assert red.throttle == blue.throttle == Throttle(2, 4)


def test_what_a_team_says_of_itself_wins() -> None:
    (red,) = event(requests_per_second=2, teams=[{"name": "red", "requests_per_second": 7}]).teams
    assert red.throttle == Throttle(7, 14)


def test_a_team_may_change_the_burst_alone() -> None:
    (red,) = event(requests_per_second=2, teams=[{"name": "red", "burst": 9}]).teams
    assert red.throttle == Throttle(2, 9)


def test_a_team_without_any_rate_is_limited_with_all_others_only() -> None:
    (red,) = event(teams=["red"]).teams
    assert red.throttle is None


def test_the_whole_api_takes_what_its_teams_are_promised() -> None:
    teams = [{"name": f"team-{number}", "requests_per_second": 20, "burst": 30} for number in range(10)]
    assert event(teams=teams).throttle == Throttle(200, 300)


def test_a_team_has_the_calls_at_once_of_the_event_unless_it_says_otherwise() -> None:
    teams = ["red", {"name": "blue"}, {"name": "green", "requests_at_once": 9}]
    by_event = event(requests_at_once=4, teams=teams).teams
    assert [team.requests_at_once for team in by_event] == [4, 4, 9]
    assert [team.requests_at_once for team in event(teams=teams).teams] == [None, None, 9]


@pytest.mark.parametrize(("models", "may"), [(None, True), (["a"], True), (["b"], False)])
def test_a_team_calls_what_its_list_names(models: list[str] | None, *, may: bool) -> None:
    (red,) = event(teams=[{"name": "red", "models": models}]).teams
    assert red.may_call("a") is may


def test_the_end_is_kept_in_utc() -> None:
    assert event(ends="2030-06-01t18:00:00+02:00").ends == datetime(2030, 6, 1, 16, tzinfo=UTC)


def test_the_start_is_kept_in_utc_and_comes_until_its_instant() -> None:
    started = event(teams=["red"], starts="2030-06-01T09:00:00+02:00")
    starts = datetime(2030, 6, 1, 7, tzinfo=UTC)
    assert started.starts == starts
    assert started.coming_start(starts - timedelta(microseconds=1)) == starts
    assert started.coming_start(starts) is None
    assert event(teams=["red"]).coming_start(starts) is None


def test_a_team_with_other_limits_keeps_the_rate_of_the_event() -> None:
    (red,) = event(requests_per_second=2, teams=[{"name": "red", "requests_per_day": 9}]).teams
    assert (red.throttle, red.requests_per_day) == (Throttle(2, 4), 9)


def test_places_need_a_key_even_before_anybody_has_joined() -> None:
    joining = event(join={"teams": 40, "code": "HERON-42", "until": "2030-06-01T11:00:00+02:00"})
    assert (joining.needs_key, event().needs_key, event(teams=["red"]).needs_key) == (True, False, True)
    assert joining.join is not None
    assert (joining.join.places, joining.join.code) == (40, "HERON-42")
    assert joining.join.until == datetime(2030, 6, 1, 9, tzinfo=UTC)
    assert joining.teams == ()


def test_who_joins_has_the_limits_of_the_places_else_those_of_the_event() -> None:
    written = {"teams": 2, "limits": {"requests_per_second": 3, "usd": 1, "models": ["a"]}}
    joining = event(teams=["red"], requests_per_second=9, requests_at_once=4, tokens_per_day=7, join=written)
    red, owls = joining.admit(["Owls", "red"]).teams
    assert (red.throttle, red.models) == (Throttle(9, 18), None)
    assert (owls.name, owls.throttle, owls.models) == ("Owls", Throttle(3, 6), ("a",))
    assert (owls.requests_at_once, owls.spending.tokens_per_day) == (4, 7)
    assert owls.spending.nanodollars == 10**9
    (plain,) = event(burst=8, requests_per_second=4, join={"teams": 1}).kinds_of_teams
    assert plain.throttle == Throttle(4, 8)


def test_nobody_is_admitted_without_places() -> None:
    assert event(teams=["red"]).admit(["Owls"]).teams == event(teams=["red"]).teams


def test_what_the_places_limit_is_limited_before_anybody_has_joined() -> None:
    places = {"teams": 50, "limits": {"requests_per_second": 10, "requests_at_once": 1, "tokens_per_day": 5}}
    joining = event(join=places)
    assert joining.limits_spending
    assert joining.limits_at_once
    assert joining.throttle == Throttle(500, 1000), "the whole API holds what every place is promised"
    assert not event(join={"teams": 50}).limits_at_once


def test_it_is_said_how_many_may_join() -> None:
    assert who_may_call(event(join={"teams": 40})) == (
        "Every call needs the key of a team; up to 40 may join by a link."
    )
    assert "there is 1 team, and up to 2 may join" in who_may_call(event(teams=["red"], join={"teams": 2}))
