"""What is told of the team that suffers most from a flood, and how much of it is chance."""

from __future__ import annotations

import pytest
from bench.flooding import Phase, worst_ratio, worst_ratio_by_chance

CALLS = [float(milliseconds) for milliseconds in range(100, 200)]


def phases(flooded: dict[str, list[float]]) -> tuple[Phase, Phase]:
    """A quiet phase in which all teams wait alike, and one with a flood."""
    return Phase("quiet", dict.fromkeys(flooded, CALLS)), Phase("flood", flooded)


def test_the_worst_team_is_that_whose_p95_grows_most() -> None:
    twice = [2 * milliseconds for milliseconds in CALLS]
    assert worst_ratio(*phases({"as-before": CALLS, "slower": twice})) == pytest.approx(2)


def test_chance_alone_makes_no_team_slow_whose_calls_all_take_the_same() -> None:
    same = {"one": [50.0] * 100, "two": [80.0] * 100}
    assert worst_ratio_by_chance(Phase("quiet", same), Phase("flood", same)) == pytest.approx(1)


def test_chance_makes_the_worst_of_more_teams_worse_though_nothing_changed() -> None:
    few, many = ({f"team-{number}": CALLS for number in range(count)} for count in (2, 20))
    assert 1 < worst_ratio_by_chance(*phases(few)) < worst_ratio_by_chance(*phases(many)) < 1.2


def test_what_chance_makes_is_told_the_same_each_time_and_leaves_the_calls_alone() -> None:
    quiet, flood = phases({"one": CALLS[::-1], "two": CALLS})
    assert worst_ratio_by_chance(quiet, flood) == worst_ratio_by_chance(quiet, flood)
    assert (quiet.milliseconds["one"], flood.milliseconds["one"]) == (CALLS, CALLS[::-1])
