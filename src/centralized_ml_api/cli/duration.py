"""A length of time on the command line: `90s`, `30m`, `48h`, `2d`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.core import Context, Parameter

TEN_YEARS_DAYS = 10 * 366
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class Duration(click.ParamType[float]):
    """Converts to seconds; zero is a length only where that was said to make sense.

    Args:
        allow_zero: whether it is one.
        longest_days: more is refused.
    """

    name = "duration"

    def __init__(self, *, allow_zero: bool = False, longest_days: int = TEN_YEARS_DAYS) -> None:
        self._allow_zero = allow_zero
        self._longest_days = longest_days

    def convert(self, value: object, param: Parameter | None, ctx: Context | None) -> float:
        """Seconds; a value of another form ends the command with status 2."""
        found = _FORM.fullmatch(str(value))
        if found is None or (float(found[1]) == 0 and not self._allow_zero):
            self.fail(f"{value!r} is not a length of time: write 90s, 30m, 48h or 2d", param, ctx)
        seconds = float(found[1]) * SECONDS[found[2]]
        if seconds > self._longest_days * SECONDS["d"]:
            self.fail(f"{value!r} is more than {self._longest_days} days", param, ctx)
        return seconds
