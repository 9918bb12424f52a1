"""Long texts that a document repeats are kept once, so that the paths of many models fit into one template.

CloudFormation puts them back in: `Fn::FindInMap` stands for a text of the template's `Mappings`.
Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html (a template
has at most 1 MB)
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TEMPLATES = ("responseTemplates", "requestTemplates")
_WORTH_IT_CHARACTERS = 100

PLAIN_CHARACTERS = 250_000
"""A document up to this size is left as it is, so that it reads well: some twenty paths."""


def is_large(document: Any) -> bool:
    """Whether the document is too large to be left as it is."""
    return len(json.dumps(document)) > PLAIN_CHARACTERS


def repeated_texts(document: Any) -> dict[str, str]:
    """The templates that occur more than once, by keys that change with the text.

    A key that did not would leave the document as it is when a text changes, and the API undeployed.
    """
    counts = Counter(_templates(document))
    repeated = [text for text, count in counts.items() if count > 1 and len(text) > _WORTH_IT_CHARACTERS]
    return {hashlib.sha256(text.encode()).hexdigest()[:12]: text for text in repeated}


def replace_texts(document: Any, found: Callable[[str], Any]) -> Any:
    """The document with `found(text)` for each template of which that is not None."""
    if isinstance(document, list):
        return [replace_texts(one, found) for one in document]
    if not isinstance(document, dict):
        return document
    return {
        key: _replaced(value, found) if key in _TEMPLATES else replace_texts(value, found)
        for key, value in document.items()
    }


def _replaced(templates: dict[str, str], found: Callable[[str], Any]) -> dict[str, Any]:
    return {media: text if found(text) is None else found(text) for media, text in templates.items()}


def _templates(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for one in document:
            yield from _templates(one)
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from value.values() if key in _TEMPLATES else _templates(value)
