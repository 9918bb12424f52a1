"""What fits into an IAM policy and into a stack. Pure.

A stack holds 500 resources in a template of 1 MB. The entries that come first in the config stay in the main
stack as long as they fit; each of the others has its nested stack by a hash of its name alone. So an entry
added at the end moves nothing, and an entry taken out of the middle moves at most the first ones after the
border back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


T = TypeVar("T")

RESOURCES_CHARACTERS = 5400
"""What a list of resources may take of the 6,144 characters of a managed policy; white space is not counted.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

ENDPOINT_ARN_CHARACTERS = 135
"""The longest ARN of an endpoint or of a function, with its quotes: both names have at most 64 characters."""


def divide(
    items: Iterable[T], size: Callable[[T], int], limit: int = RESOURCES_CHARACTERS
) -> tuple[tuple[T, ...], ...]:
    """Divides the items, in order, into as few lists as fit the limit, by default that of one policy.

    Args:
        items: what to divide.
        size: the characters that an item takes.
        limit: the characters that a list may take.
    """
    lists: list[list[T]] = []
    room = 0
    for item in items:
        room -= size(item)
        if room < 0:
            lists.append([])
            room = limit - size(item)
        lists[-1].append(item)
    return tuple(tuple(items) for items in lists)


@dataclass(frozen=True, slots=True)
class Weight:
    """What something takes of a stack: resources, and characters of its template."""

    resources: int = 0
    characters: int = 0

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.resources + other.resources, self.characters + other.characters)

    def __sub__(self, other: Weight) -> Weight:
        return Weight(self.resources - other.resources, self.characters - other.characters)

    @property
    def is_negative(self) -> bool:
        """Whether more was taken than there was."""
        return self.resources < 0 or self.characters < 0


STACK = Weight(resources=490, characters=1_000_000)
"""What a stack may hold, a little less than CloudFormation's 500 and 1 MB: the CDK adds some of its own.

A megabyte there is 1,048,576 bytes.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

NESTED_STACKS = 8
"""How many nested stacks share what the main stack cannot hold: room for some hundred entries."""

_NESTED_STACK = Weight(resources=1, characters=3_000)
"""A nested stack in the main one, with its parameters."""


def assign_groups(weights: Mapping[str, Weight], fixed: Weight) -> dict[str, str | None]:
    """Assigns each entry, by its name, to a nested stack; None stands for the main stack.

    Args:
        weights: what each entry takes, in config order.
        fixed: what the main stack holds besides.
    """
    room = STACK - fixed
    if len(_first_that_fit(weights, room)) == len(weights):
        return dict.fromkeys(weights)
    nested = sum([_NESTED_STACK] * NESTED_STACKS, Weight())
    staying = _first_that_fit(weights, room - nested)
    return {name: None if name in staying else _nested_stack(name) for name in weights}


def groups_in_use(assigned: Iterable[str | None]) -> tuple[str, ...]:
    """Returns the nested stacks that hold something, in order."""
    return tuple(sorted({group for group in assigned if group}))


def _first_that_fit(weights: Mapping[str, Weight], room: Weight) -> set[str]:
    staying = set()
    for name, weight in weights.items():
        room -= weight
        if room.is_negative:
            break
        staying.add(name)
    return staying


def _nested_stack(name: str) -> str:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % NESTED_STACKS
    return f"Models{number + 1}"
