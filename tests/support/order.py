"""The order of tests: what takes long first, dealt to all workers, so that the end is easily shared."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

T = TypeVar("T")

_HEAVIEST = ("deploy", "prove", "docs", "end_to_end", "installation", "template", "browser")
"""The folders whose tests take longest, first those of whole deployments."""


def deal(slow_files: Sequence[Sequence[T]], fast: Sequence[T], workers: int) -> list[T]:
    """Returns all tests, so that each of `workers` equal parts begins with its share of the slow ones.

    That is how pytest-xdist deals them with `--dist worksteal`: in equal parts, and a worker that has
    finished takes half of what another still has. A file's slow tests stay together: they share servers.
    """
    hands: list[list[T]] = [[] for _ in range(workers)]
    for number, file in enumerate(slow_files):
        hands[number % workers].extend(file)
    total = len(fast) + sum(map(len, slow_files))
    rest, dealt = list(fast), []
    for number, hand in enumerate(hands):
        size = (total * (number + 1)) // workers - (total * number) // workers
        missing = max(0, size - len(hand))
        dealt += hand + rest[:missing]
        rest = rest[missing:]
    return dealt + rest


def order(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Returns the tests in the order for so many workers."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    fast = [item for item in items if not item.get_closest_marker("slow")]
    files = [list(group) for _, group in groupby(slow, lambda item: item.path)]
    return deal(sorted(files, key=lambda file: _rank(file[0])), fast, workers)


def _rank(item: pytest.Item) -> int:
    folders = item.path.parts
    return next((rank for rank, folder in enumerate(_HEAVIEST) if folder in folders), len(_HEAVIEST))
