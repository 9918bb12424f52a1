"""What is told of the team that suffers most from a flood, and when teams call."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from bench.flooding import Phase, choose_moments, worst_ratio

CALLS = [float(milliseconds) for milliseconds in range(100, 200)]


def test_the_worst_team_is_that_whose_p95_grows_most() -> None:
    twice = [2 * milliseconds for milliseconds in CALLS]
    quiet = Phase("quiet", {"as-before": CALLS, "slower": CALLS})
    assert worst_ratio(quiet, Phase("flood", {"as-before": CALLS, "slower": twice})) == pytest.approx(2)


def moments_of(seed: int) -> list[float]:
    """When a team calls twice a second for ten seconds."""
    return choose_moments(rate=2, seconds=10, chance=Random(seed))  # noqa: S311  # no secret


def test_a_team_calls_once_in_each_period_and_its_pauses_differ() -> None:
    moments = moments_of(1)
    assert [int(moment * 2) for moment in moments] == list(range(20))
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert len(set(pauses)) == len(pauses)


def test_the_same_seed_makes_the_same_moments() -> None:
    assert moments_of(1) == moments_of(1) != moments_of(2)
