"""Keeps long texts that a document repeats once, so that the paths of many models fit into one template.

CloudFormation puts them back: `Fn::FindInMap` stands for a text of the template's `Mappings`.
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
_KEY_DIGITS = 8

PLAIN_CHARACTERS = 250_000
"""A document up to this size, some twenty paths, stays as it is and easy to read."""


def is_large(document: Any) -> bool:
    """Returns whether the document is larger than `PLAIN_CHARACTERS`."""
    return len(json.dumps(document)) > PLAIN_CHARACTERS


def repeated_texts(document: Any) -> dict[str, str]:
    """Returns the templates that occur more than once, by keys that change with the text.

    A constant key would leave the document unchanged when a text changes, and the API undeployed.
    """
    counts = Counter(_templates(document))
    repeated = [text for text, count in counts.items() if count > 1 and len(text) > _WORTH_IT_CHARACTERS]
    return {hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]: text for text in repeated}


def replace_texts(document: Any, found: Callable[[str], Any]) -> Any:
    """Returns the document with `found(text)` in place of each template for which that is not None."""
    if isinstance(document, list):
        return [replace_texts(item, found) for item in document]
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
        for item in document:
            yield from _templates(item)
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from value.values() if key in _TEMPLATES else _templates(value)
