"""What follows from all teams is found once, not for every route."""

from __future__ import annotations

from centralized_ml_api.local.envoy.same_objects import REMEMBERED, remember


def test_of_the_same_objects_it_is_found_once_and_of_equal_ones_anew() -> None:
    found: list[tuple[list[int], ...]] = []

    @remember
    def find(one: list[int], other: list[int]) -> int:
        """Adds up."""
        found.append((one, other))
        return sum(one) + sum(other)

    one, other, equal = [1, 2], [3], [3]
    assert [find(one, other), find(one, other)] == [6, 6]
    assert found == [(one, other)]
    assert find(one, equal) == 6
    assert len(found) == 2, "it looks into none of them"
    assert find(other, one) == 6
    assert len(found) == 3
    assert find.__doc__ == "Adds up."


def test_only_the_last_are_remembered() -> None:
    calls: list[tuple[int, ...]] = []

    @remember
    def find(of: tuple[int, ...]) -> int:
        calls.append(of)
        return len(of)

    several = [(number, number) for number in range(REMEMBERED + 1)]
    assert [find(each) for each in (*several, several[-1], several[0])] == [2] * (REMEMBERED + 3)
    assert calls == [*several, several[0]]
