"""pydantic's `loc` -> the path in the document: the only code that knows how the two differ. Pure.

pydantic puts the tag of a union's member into `loc` where the file has no level, marks errors of a free key
with a last `[key]`, and counts a missing or unknown discriminator as an error of the object around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from centralized_ml_api.config.document import Document, NodePath

_ANY = -1
_KEY_MARK = "[key]"
_UNIONS = frozenset(
    {
        ("models", _ANY, "local"),
        ("endpoints", _ANY, "local"),
        ("models", _ANY, "integration", "properties", "permissions"),
        ("endpoints", _ANY, "integration", "properties", "permissions"),
        ("models", _ANY, "local", "speaks"),
        ("endpoints", _ANY, "local", "speaks"),
        ("endpoints", _ANY, "provider", "speaks"),
        ("event", "teams", _ANY),
    }
)
"""The paths whose next level in `loc` is a tag."""


def path_of(loc: NodePath) -> NodePath:
    """Returns the path that a `loc` means: without the tags of unions."""
    path: list[str | int] = []
    expect_tag = False
    for step in loc:
        if expect_tag:
            expect_tag = False
            continue
        path.append(step)
        expect_tag = is_union(tuple(path))
    return tuple(path)


def is_union(path: NodePath) -> bool:
    """Returns whether the schema has several kinds of values at this path."""
    return tuple(_ANY if isinstance(step, int) else step for step in path) in _UNIONS


def split_key_mark(document: Document, path: NodePath) -> tuple[NodePath, bool]:
    """Returns the path without the mark of an error in a free key, and whether there was one."""
    if path[-1:] == (_KEY_MARK,) and path not in document.values:
        return path[:-1], True
    return path, False
