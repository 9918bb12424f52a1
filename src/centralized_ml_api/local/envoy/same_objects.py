"""Remembers what follows from large objects: every route of a table asks the same of all its teams."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Of = ParamSpec("Of")
Found = TypeVar("Found")

REMEMBERED = 2
"""Of what is served, and of what is to be served."""


class _SameObjects:
    """The arguments of a call, which are the same as others only if they are the very same objects.

    To compare thousands of teams each time, or to hash them, would take as long as all else.
    """

    def __init__(self, objects: tuple[Any, ...]) -> None:
        self.objects = objects  # kept: no other object gets the id of one of them

    def __eq__(self, other: object) -> bool:
        """Returns whether all of them are."""
        return isinstance(other, _SameObjects) and [*map(id, self.objects)] == [*map(id, other.objects)]

    def __hash__(self) -> int:
        """Returns the same for the same objects."""
        return hash((*map(id, self.objects),))


def remember(find: Callable[Of, Found]) -> Callable[Of, Found]:
    """Decorates a pure function of objects that never change: asked for the same again, it remembers."""
    find_anew: Callable[..., Found] = find

    @functools.lru_cache(maxsize=REMEMBERED)
    def find_once(of: _SameObjects) -> Found:
        return find_anew(*of.objects)

    @functools.wraps(find)
    def find_or_remember(*objects: Of.args, **_: Of.kwargs) -> Found:
        return find_once(_SameObjects(objects))

    return find_or_remember
