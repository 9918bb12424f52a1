"""Which stack an entry's resources go to. Pure.

A stack holds 500 resources. The entries that come first in the config stay in the main stack as long as
they fit; each of the others has its nested stack by a hash of its name alone. So an entry added at the end
moves nothing, and an entry taken out of the middle moves at most the first ones after the border back.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STACK_RESOURCES = 500
"""The most resources of one stack.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

NESTED_STACKS = 8
"""How many nested stacks share what the main stack cannot hold: room for some hundred entries."""

_SPARE = 5
"""Left for what CDK adds by itself, such as its metadata."""


def assign_groups(weights: Mapping[str, int], fixed: int) -> dict[str, str | None]:
    """The nested stack of each entry by its name; None stands for the main stack.

    Args:
        weights: how many resources each entry takes, in config order.
        fixed: how many the main stack holds besides.
    """
    total = fixed + sum(weights.values())
    room = STACK_RESOURCES - _SPARE - fixed
    if total <= STACK_RESOURCES - _SPARE:
        return dict.fromkeys(weights)
    staying = _first_that_fit(weights, room - NESTED_STACKS)
    return {name: None if name in staying else _nested_stack(name) for name in weights}


def groups_in_use(assigned: Iterable[str | None]) -> tuple[str, ...]:
    """The nested stacks that hold something, in order."""
    return tuple(sorted({group for group in assigned if group}))


def _first_that_fit(weights: Mapping[str, int], room: int) -> set[str]:
    staying = set()
    for name, weight in weights.items():
        room -= weight
        if room < 0:
            break
        staying.add(name)
    return staying


def _nested_stack(name: str) -> str:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % NESTED_STACKS
    return f"Models{number + 1}"
