"""pydantic's `loc` -> path into the document: the one place that knows how the two differ.

pydantic puts the tag of a union's member into `loc` where the file has no level, marks errors of a free key
by a last `[key]`, and counts a missing or unknown discriminator as an error of the object around it.
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
        ("event", "teams", _ANY),
    }
)
"""The places whose next level in `loc` is a tag."""


def document_path(loc: NodePath) -> NodePath:
    """The path of a pydantic location, without the tags of unions."""
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
    """Whether the model has several kinds of values at this place."""
    return tuple(_ANY if isinstance(step, int) else step for step in path) in _UNIONS


def of_key(document: Document, path: NodePath) -> tuple[NodePath, bool]:
    """The path without pydantic's mark for the errors of a free key, and whether it was there."""
    if path[-1:] == (_KEY_MARK,) and path not in document.values:
        return path[:-1], True
    return path, False
