"""The order of tests for several workers."""

from __future__ import annotations

from support.order import deal


def test_each_part_begins_with_slow_ones_and_keeps_files_together() -> None:
    assert deal([["a1", "a2"], ["b1"], ["c1"]], ["f1", "f2", "f3", "f4"], 2) == [
        *("a1", "a2", "c1", "f1"),
        *("b1", "f2", "f3", "f4"),
    ]


def test_nothing_is_lost_where_parts_are_not_equal() -> None:
    dealt = deal([["a1", "a2", "a3", "a4"], ["b1"]], ["f1", "f2"], 3)
    assert sorted(dealt) == ["a1", "a2", "a3", "a4", "b1", "f1", "f2"]
    assert deal([], ["f1", "f2", "f3"], 2) == ["f1", "f2", "f3"]
