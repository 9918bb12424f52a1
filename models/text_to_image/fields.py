"""Reads the fields of a JSON object; reports every mistake, with the allowed values."""

from __future__ import annotations

import difflib
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN_CHARACTERS = 60


class Fields:
    """The fields of one object; `null` counts as missing. Collects problems in `problems`."""

    def __init__(self, values: Mapping[str, Any], place: str = "") -> None:
        self.problems: list[str] = []
        self._place = place
        self._values = {name: value for name, value in values.items() if value is not None}

    def get(self, name: str) -> Any:
        """Returns the value, unchecked; None if it is missing."""
        return self._values.get(name)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Returns a whole number from `low` to `high`."""
        value = self._values.get(name, default)
        if type(value) is not int or not low <= value <= high:
            self.refuse(name, value, f"a whole number from {low} to {high}")
            return default
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Returns a number from `low` to `high`."""
        value = self._values.get(name, default)
        is_number = type(value) in {int, float} and math.isfinite(value)
        if not is_number or not low <= value <= high:
            self.refuse(name, value, f"a number from {low:g} to {high:g}")
            return default
        return float(value)

    def choice(self, name: str, allowed: Iterable[str]) -> str | None:
        """Returns one of the allowed names; None if it is missing."""
        value, known = self._values.get(name), list(allowed)
        if value is None or (isinstance(value, str) and value in known):
            return value
        self.refuse(name, value, f"one of {', '.join(known)}")
        return None

    def refuse(self, name: str, value: object, allowed: str) -> None:
        """Notes that a value is not allowed, and which values are."""
        text = json.dumps(value, ensure_ascii=True, default=str)
        shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
        self.problems.append(f"{self._place}{name} is {shown}; it must be {allowed}")

    def refuse_others(self, known: Iterable[str]) -> None:
        """Notes every unknown field: a misspelt field would silently have no effect."""
        names = list(known)
        for name in self._values:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                meant = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(names)}"
                self.problems.append(f"{self._place}{name[:_SHOWN_CHARACTERS]} is not a field{meant}")
