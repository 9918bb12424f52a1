"""A value of the file together with its location: what a check looks at.

Asking a node for a member of a certain type gives None when there is no member of that type; that it is
missing or wrong is reported by then. So a check never sees a type that it does not expect, and checks run on
the parts of a config that are right while others are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from centralized_ml_api.config.document.document import Document, NodePath
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.errors import Location

T_co = TypeVar("T_co", covariant=True)
Kind = TypeVar("Kind")


@record
class Node(Generic[T_co]):
    """One value of a document, and the path to it."""

    document: Document
    path: NodePath
    value: T_co

    @property
    def location(self) -> Location:
        """Where the value stands."""
        return self.document.value_location(self.path)

    @property
    def key_location(self) -> Location:
        """Where its key stands, or the value when it has no key."""
        return self.document.key_location(self.path)

    def member(self, key: str) -> Node[Any] | None:
        """Returns the member with that key, of any type."""
        if not isinstance(self.value, dict) or key not in self.value:
            return None
        return Node(self.document, (*self.path, key), self.value[key])

    def object(self, key: str) -> Node[dict[str, Any]] | None:
        """Returns the object with that key."""
        return self._typed(key, dict)

    def string(self, key: str) -> Node[str] | None:
        """Returns the string with that key."""
        return self._typed(key, str)

    def integer(self, key: str) -> Node[int] | None:
        """Returns the whole number with that key; `true` is not one."""
        found = self._typed(key, int)
        return None if found is None or isinstance(found.value, bool) else found

    def number(self, key: str) -> Node[int | float] | None:
        """Returns the number with that key."""
        return self.integer(key) or self._typed(key, float)

    def objects(self, key: str) -> list[Node[dict[str, Any]]]:
        """Returns the objects in the array with that key."""
        return self._items(key, dict)

    def strings(self, key: str) -> list[Node[str]]:
        """Returns the strings in the array with that key."""
        return self._items(key, str)

    def _typed(self, key: str, kind: type[Kind]) -> Node[Kind] | None:
        found = self.member(key)
        if found is None or not isinstance(found.value, kind):
            return None
        return Node(found.document, found.path, found.value)

    def _items(self, key: str, kind: type[Kind]) -> list[Node[Kind]]:
        array: Node[list[Any]] | None = self._typed(key, list)
        if array is None:
            return []
        return [
            Node(self.document, (*array.path, index), item)
            for index, item in enumerate(array.value)
            if isinstance(item, kind)
        ]
