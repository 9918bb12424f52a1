"""Who may call what on AWS."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from centralized_ml_api.config.team_names import is_team_name
from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.aws.event import (
    API_ERRORS,
    FUNCTION_THROTTLES,
    PLACE_PREFIX,
    TABLE_CHARACTERS,
    AlarmPlan,
    DashboardPlan,
    build_access,
    build_dashboard,
    build_latency_alarm,
    how_it_ends,
    how_it_starts,
    time_of_keys,
)
from centralized_ml_api.plan.aws.nested_stacks import TemplateSize
from centralized_ml_api.plan.aws.template_size import event_size
from centralized_ml_api.plan.event import BudgetPlan, EventPlan, JoinPlan, TeamPlan, Throttle

ENTRIES = ("chat", "draw", "read")


def build_event(**lists: tuple[str, ...] | None) -> EventPlan:
    """Teams by name, with their lists."""
    return EventPlan(teams=tuple(TeamPlan(name, None, None, models) for name, models in lists.items()))


def test_a_list_refuses_all_that_is_not_in_it() -> None:
    access = build_access(build_event(red=("draw",), blue=None, green=()), ENTRIES)
    assert [team.name for team in access.teams] == ["red", "blue", "green"]
    assert access.refused == {"red": ("chat", "read"), "green": ENTRIES}


def test_each_place_is_like_a_team_by_a_name_that_no_team_has() -> None:
    until = datetime(2030, 6, 1, tzinfo=UTC)
    join = JoinPlan(2, TeamPlan("", Throttle(5, 10), 100, ("draw",)), until=until)
    access = build_access(replace(build_event(red=None), join=join), ENTRIES)
    assert [place.team for place in access.places] == [
        TeamPlan(name, Throttle(5, 10), 100, ("draw",)) for name in ("place:1", "place:2")
    ]
    assert access.refused == {PLACE_PREFIX: ("chat", "read")}
    assert (access.needs_key, access.joining_ends) == (True, until)
    assert not any(is_team_name(place.name) for place in access.places)
    assert build_access(EventPlan(join=join), ENTRIES).needs_key
    assert not build_access(EventPlan(), ENTRIES).needs_key


def test_without_lists_nothing_has_to_be_looked_up() -> None:
    assert build_access(build_event(red=None, blue=ENTRIES), ENTRIES).refused == {}


def test_twenty_teams_with_a_model_each_of_ten_fit() -> None:
    names = [f"model-{number}" for number in range(10)]
    event = build_event(**{f"team-{number}": (names[number % 10],) for number in range(20)})
    assert len(build_access(event, names).refused) == 20


def test_any_number_of_places_has_one_list() -> None:
    names = tuple(f"a-model-with-a-name-of-some-length-{number}" for number in range(6))
    join = JoinPlan(200, TeamPlan("", None, None, names[:1]), until=None)
    assert build_access(EventPlan(join=join), names).refused == {PLACE_PREFIX: names[1:]}


@pytest.mark.parametrize(("teams", "entries"), [(1, 100), (50, 20)])
def test_more_than_aws_can_be_told_is_an_error_before_a_deploy(teams: int, entries: int) -> None:
    event = build_event(**{f"team-{number}": () for number in range(teams)})
    with pytest.raises(DeployError, match="the teams' lists of models exclude too many"):
        build_access(event, [f"model-{number}" for number in range(entries)])


def test_quotes_within_the_variable_count_twice_as_lambda_counts_them() -> None:
    names = [f"{number:02}" for number in range(89)]
    event = build_event(**{f"team-{number}": () for number in range(4)})
    refused = {f"team-{number}": names for number in range(4)}
    assert len(json.dumps(refused)) < TABLE_CHARACTERS < len(json.dumps(json.dumps(refused)))
    with pytest.raises(DeployError, match="the teams' lists of models exclude too many"):
        build_access(event, names)


@pytest.mark.parametrize("teams", [1, 50])
def test_a_list_of_places_that_is_too_long_is_not_the_teams(teams: int) -> None:
    event = build_event(**{f"team-{number}": None for number in range(teams)})
    join = JoinPlan(2, TeamPlan("", None, None, ()), until=None)
    with pytest.raises(DeployError, match="list of models for teams that join excludes") as raised:
        build_access(replace(event, join=join), [f"model-{number}" for number in range(100)])
    assert "`event.join.limits`" in raised.value.fix


@pytest.mark.parametrize(
    ("teams", "words"), [(3, None), (4, "4 new teams take about a minute"), (20, "20 new teams take about 5")]
)
def test_the_time_that_keys_take_is_said_when_it_is_minutes(teams: int, words: str | None) -> None:
    said = time_of_keys(teams)
    assert bool(said) is bool(words)
    assert (words or "") in "".join(said)


def test_only_an_event_has_a_dashboard_and_only_a_budget_has_alarms() -> None:
    assert build_dashboard(EventPlan(), ["chat"], [], streams=False) is None
    ends_at = datetime(2030, 1, 1, tzinfo=UTC)
    ends = build_dashboard(EventPlan(ends=ends_at), ["chat"], ["draw"], streams=True)
    assert ends == DashboardPlan(("chat",), ("draw",), True, (), None)  # noqa: FBT003
    counted = build_dashboard(EventPlan(ends=ends_at), [], [], streams=True, counts=True)
    assert counted == DashboardPlan((), (), True, (), None, counts=True)  # noqa: FBT003


@pytest.mark.parametrize(
    ("functions", "streams", "alarms"),
    [
        ([], False, (API_ERRORS, build_latency_alarm(29))),
        (["draw"], False, (API_ERRORS, build_latency_alarm(29), FUNCTION_THROTTLES)),
        ([], True, (API_ERRORS, FUNCTION_THROTTLES)),
    ],
)
def test_streams_set_off_no_alarm_of_latency_and_only_functions_one_of_throttles(
    functions: list[str], alarms: tuple[AlarmPlan, ...], *, streams: bool
) -> None:
    event = EventPlan(budget=BudgetPlan(100, "you@example.com"))
    dashboard = build_dashboard(event, [], functions, streams=streams)
    assert dashboard is not None
    assert (dashboard.alarms, dashboard.email) == (alarms, "you@example.com")


def test_the_dashboard_shows_the_first_fifty_of_each() -> None:
    names = [f"model-{number}" for number in range(51)]
    dashboard = build_dashboard(build_event(red=None), names, names, streams=False)
    assert dashboard is not None
    assert dashboard.endpoints == dashboard.functions == tuple(names[:50])


def test_each_part_of_an_event_takes_room_in_the_main_stack() -> None:
    ends = datetime(2030, 1, 1, tzinfo=UTC)
    assert event_size(EventPlan(), 10) == TemplateSize()
    assert event_size(EventPlan(budget=BudgetPlan(1, "")), 10).resources == 1
    assert event_size(EventPlan(ends=ends), 10).resources == 4
    assert event_size(build_event(red=None, blue=None), 10).resources == 12
    places = JoinPlan(3, TeamPlan("", None, None, None))
    assert event_size(EventPlan(join=places), 10).resources == 18


def test_the_plan_says_what_goes_first_at_the_end_and_who_is_told() -> None:
    ends, budget = datetime(2030, 1, 1, tzinfo=UTC), BudgetPlan(100, "you@example.com")
    (said,) = how_it_ends(EventPlan(ends=ends, budget=budget), has_endpoints=True)
    assert said == (
        "At the end, the endpoints are deleted, 10 minutes later the stack, and again every 30 minutes until"
        " nothing is left. A failure is mailed to you@example.com."
    )
    (alone,) = how_it_ends(EventPlan(ends=ends), has_endpoints=False)
    assert alone == (
        "At the end, the stack is deleted, and again every 30 minutes until nothing is left. Nobody is told"
        " if that fails: add `event.budget`, whose `email` is."
    )
    assert how_it_ends(EventPlan(budget=budget), has_endpoints=True) == ()


def test_an_alarm_goes_off_at_the_first_throttled_call_and_when_more_than_few_fail() -> None:
    event = EventPlan(budget=BudgetPlan(100, "you@example.com"))
    dashboard = build_dashboard(event, [], ["draw"], streams=False)
    assert dashboard is not None
    assert [(alarm.statistic, alarm.threshold, alarm.minutes) for alarm in dashboard.alarms] == [
        ("Average", 0.05, 3),
        ("p95", 20_000, 5),
        ("Sum", 0, 2),
    ]


@pytest.mark.parametrize(("timeout", "slow"), [(29, 20), (120, 84), (300, 210)])
def test_the_alarm_of_slow_calls_follows_how_long_the_api_waits(timeout: int, slow: int) -> None:
    alarm = build_latency_alarm(timeout)
    assert alarm.threshold == slow * 1000
    assert (
        alarm.says == f"5 % of calls take {slow} seconds or longer; the API gives up after {timeout} seconds."
    )


def test_an_event_with_everything_takes_the_room_of_all_its_parts() -> None:
    ends = datetime(2030, 1, 1, tzinfo=UTC)
    teams, budget = build_event(red=None, blue=None).teams, BudgetPlan(1, "")
    parts = (EventPlan(teams=teams), EventPlan(ends=ends), EventPlan(budget=budget))
    sizes = [event_size(part, 10) for part in parts]
    assert event_size(EventPlan(teams=teams, ends=ends, budget=budget), 10) == sum(sizes, TemplateSize())
    assert all(size.characters > 0 for size in sizes)


@pytest.mark.parametrize(
    "event",
    [build_event(red=None), EventPlan(ends=datetime(2030, 1, 1, tzinfo=UTC))],
)
def test_keys_and_the_end_of_an_event_take_room_on_every_path(event: EventPlan) -> None:
    added = event_size(event, 11) - event_size(event, 10)
    assert added.resources == 0
    assert 0 < added.characters < event_size(event, 0).characters


def test_each_team_takes_the_same_room() -> None:
    one, two = (event_size(build_event(**dict.fromkeys(names)), 10) for names in (["a"], ["a", "b"]))
    assert (two - one).resources == 3
    assert 0 < (two - one).characters < one.characters


def test_keys_are_text_before_the_first_team_and_path() -> None:
    one, two = (event_size(build_event(**dict.fromkeys(names)), 0) for names in (["a"], ["a", "b"]))
    keys = one - (two - one)
    assert (keys.resources, keys.characters > 5000) == (6, True)


def test_endpoints_are_said_to_run_before_the_start() -> None:
    starts = datetime(2030, 6, 1, 7, tzinfo=UTC)
    (said,) = how_it_starts(EventPlan(starts=starts), has_endpoints=True)
    assert said == (
        "Endpoints run, and are billed, from the deploy on, so that they are ready when the event starts;"
        " until then calls are refused."
    )
    assert how_it_starts(EventPlan(starts=starts), has_endpoints=False) == ()
    assert how_it_starts(EventPlan(), has_endpoints=True) == ()
