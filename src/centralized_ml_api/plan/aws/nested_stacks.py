"""Decides which stack each entry goes to. Pure.

A stack holds 500 resources in a template of 1 MB. The entries that come first in the config stay in the main
stack as long as they fit; a hash of its name alone chooses the nested stack of each of the others. So an
entry added at the end moves nothing, and an entry removed from the middle moves at most the first ones after
the border back.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


T = TypeVar("T")


@record
class TemplateSize:
    """What something takes of a stack: resources, and characters of its template."""

    resources: int = 0
    characters: int = 0

    def __add__(self, other: TemplateSize) -> TemplateSize:
        return TemplateSize(self.resources + other.resources, self.characters + other.characters)

    def __sub__(self, other: TemplateSize) -> TemplateSize:
        return TemplateSize(self.resources - other.resources, self.characters - other.characters)

    @property
    def is_negative(self) -> bool:
        """Whether more was taken than there was."""
        return self.resources < 0 or self.characters < 0


STACK = TemplateSize(resources=490, characters=1_000_000)
"""What a stack may hold, a little less than CloudFormation's 500 and 1 MB: the CDK adds some of its own.

A megabyte there is 1,048,576 bytes.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

NESTED_STACKS = 8
"""How many nested stacks share what the main stack cannot hold: room for some hundred entries."""

_NESTED_STACK = TemplateSize(resources=1, characters=600)
"""A nested stack in the main one, with its parameters."""

_REFERENCES = TemplateSize(characters=440)
"""What the references to an entry take of the main stack more when it is in a nested one."""

_OUTPUTS = TemplateSize(characters=380)
"""What they take of the nested one."""


def assign_groups(sizes: Mapping[str, TemplateSize], fixed: TemplateSize) -> dict[str, str | None]:
    """Assigns each entry, by its name, to a nested stack; None stands for the main stack.

    Args:
        sizes: What each entry takes, in config order.
        fixed: What the main stack holds besides.
    """
    room = STACK - fixed
    if len(_first_that_fit(sizes, room)) == len(sizes):
        return dict.fromkeys(sizes)
    nested = sum([_NESTED_STACK] * NESTED_STACKS + [_REFERENCES] * len(sizes), TemplateSize())
    staying = _first_that_fit(sizes, room - nested)
    return {name: None if name in staying else _nested_stack(name) for name in sizes}


def add_sizes(
    sizes: Mapping[str, TemplateSize], fixed: TemplateSize, groups: Mapping[str, str | None]
) -> dict[str | None, TemplateSize]:
    """Returns what each stack takes; None is the main one.

    Args:
        sizes: What each entry takes.
        fixed: What the main stack holds besides.
        groups: The nested stack of each entry, or None.
    """
    used = groups_in_use(groups.values())
    totals: dict[str | None, TemplateSize] = {
        None: sum([_NESTED_STACK] * len(used), fixed),
        **dict.fromkeys(used, TemplateSize()),
    }
    for name, size in sizes.items():
        group = groups[name]
        totals[group] += size
        if group:
            totals[group] += _OUTPUTS
            totals[None] += _REFERENCES
    return totals


def groups_in_use(assigned: Iterable[str | None]) -> tuple[str, ...]:
    """Returns the nested stacks that hold something, in order."""
    return tuple(sorted({group for group in assigned if group}))


def _first_that_fit(sizes: Mapping[str, TemplateSize], room: TemplateSize) -> set[str]:
    staying = set()
    for name, size in sizes.items():
        room -= size
        if room.is_negative:
            break
        staying.add(name)
    return staying


def _nested_stack(name: str) -> str:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % NESTED_STACKS
    return f"Models{number + 1}"
