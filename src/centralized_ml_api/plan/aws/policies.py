"""How many resources fit into one IAM policy. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
    """The items in order, in as few lists as keep each below the limit, by default that of one policy."""
    lists: list[list[T]] = []
    room = 0
    for item in items:
        room -= size(item)
        if room < 0:
            lists.append([])
            room = limit - size(item)
        lists[-1].append(item)
    return tuple(tuple(one) for one in lists)
