"""A number on the command line that can be compared: `nan` is in no range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.core import Context, Parameter


class RealRange(click.FloatRange):
    """Converts as `click.FloatRange` does, which lets `nan` through."""

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> float:
        """The number; another one ends the command with status 2."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number
