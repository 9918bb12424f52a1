"""pydantic's `loc` -> steps into the document: the one place that knows how the two differ.

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


def document_steps(loc: NodePath) -> NodePath:
    """The steps of a pydantic location, without the tags of unions."""
    steps: list[str | int] = []
    expect_tag = False
    for step in loc:
        if expect_tag:
            expect_tag = False
            continue
        steps.append(step)
        expect_tag = is_union(tuple(steps))
    return tuple(steps)


def is_union(steps: NodePath) -> bool:
    """Whether the model has several kinds of values at this place."""
    return tuple(_ANY if isinstance(step, int) else step for step in steps) in _UNIONS


def of_key(document: Document, steps: NodePath) -> tuple[NodePath, bool]:
    """The steps without pydantic's mark for the errors of a free key, and whether it was there."""
    if steps[-1:] == (_KEY_MARK,) and steps not in document.values:
        return steps[:-1], True
    return steps, False
