"""A length of time on the command line: `90s`, `30m`, `48h`, `2d`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.core import Context, Parameter

LONGEST_SECONDS = 10 * 366 * 86400
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class Duration(click.ParamType[float]):
    """Converts to seconds, ten years at most; zero is a length only where that was said to make sense."""

    name = "duration"

    def __init__(self, *, allow_zero: bool = False) -> None:
        self._allow_zero = allow_zero

    def convert(self, value: object, param: Parameter | None, ctx: Context | None) -> float:
        """Seconds; a value of another form ends the command with status 2."""
        found = _FORM.fullmatch(str(value))
        if found is None or (float(found[1]) == 0 and not self._allow_zero):
            self.fail(f"{value!r} is not a length of time: write 90s, 30m, 48h or 2d", param, ctx)
        seconds = float(found[1]) * SECONDS[found[2]]
        if seconds > LONGEST_SECONDS:
            self.fail(f"{value!r} is more than ten years", param, ctx)
        return seconds
