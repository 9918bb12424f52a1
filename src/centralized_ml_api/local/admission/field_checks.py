"""Checks of one field of a request each: its type and its bounds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from centralized_ml_api.local.admission.violation import LlamaCppLimits, Violation

Check = Callable[[Any, LlamaCppLimits], Iterator[Violation]]
"""Yields what is wrong with the value of a field that is neither missing nor null."""

LARGEST_NUMBER = 2**32


def nests_deeper(value: Any, levels: int) -> bool:
    """Returns whether lists and objects are inside one another by more than `levels`. Without recursion."""
    row = [value]
    for _ in range(levels + 1):
        row = [
            inner
            for outer in row
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not row:
            return False
    return True


def is_integer(value: Any) -> bool:
    """Returns whether a value is a whole number, which may be written as 1.0."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool)


def check_integer(name: str, least: int, most: int | None = None) -> Check:
    """Returns the check of an integer, which may be written as 1.0.

    Args:
        name: The field.
        least: The smallest value allowed.
        most: The largest; None if there is none.
    """

    def check(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
        if not is_integer(value) or value < least or (most is not None and value > most):
            limits = f"from {least}" if most is None else f"from {least} to {most:,}"
            yield Violation(name, f"'{name}' must be an integer {limits}{'' if most is not None else ' on'}.")

    return check


def check_number(name: str) -> Check:
    """Returns the check of a finite number."""

    def check(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
        fits = isinstance(value, int | float) and abs(value) <= LARGEST_NUMBER  # nor NaN
        if isinstance(value, bool) or not fits:
            yield Violation(name, f"'{name}' must be a number.")

    return check


def check_boolean(name: str) -> Check:
    """Returns the check of true and false."""

    def check(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
        if not isinstance(value, bool):
            yield Violation(name, f"'{name}' must be true or false.")

    return check


def check_one_of(name: str, allowed: tuple[str, ...]) -> Check:
    """Returns the check of a choice."""

    def check(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
        if value not in allowed:
            yield Violation(name, f"'{name}' must be one of {', '.join(allowed)}.")

    return check


def check_text(name: str, characters: int) -> Check:
    """Returns the check of a string."""

    def check(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
        if not isinstance(value, str) or len(value) > characters:
            yield Violation(name, f"'{name}' must be a string of at most {characters:,} characters.")

    return check


def check_texts(name: str, count: int, characters: int, *, alone: bool = True) -> Check:
    """Returns the check of a list of strings, in which null stands for no string.

    Args:
        name: The field.
        count: The most strings allowed.
        characters: The most characters of each.
        alone: Whether one string may stand outside a list.
    """

    def check(value: Any, _: LlamaCppLimits) -> Iterator[Violation]:
        texts = [value] if alone and isinstance(value, str) else value
        fits = isinstance(texts, list) and len(texts) <= count
        if not fits or not all(_is_short(text, characters) for text in texts):
            yield Violation(
                name, f"'{name}' takes at most {count} strings of at most {characters} characters each."
            )

    return check


def _is_short(text: Any, characters: int) -> bool:
    return text is None or (isinstance(text, str) and len(text) <= characters)
