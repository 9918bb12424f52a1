"""An instant on the command line: `2030-06-01T18:00:00+02:00`, `2h` from now, or `+2h` after another one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from centralized_ml_api.cli.duration import Duration
from centralized_ml_api.config.checks.event.ends_form import parse_instant

if TYPE_CHECKING:
    from click.core import Context, Parameter


@dataclass(frozen=True, slots=True)
class Until:
    """An instant as it was meant: `instant` itself, or `later` than the present end, or `from_now`."""

    instant: datetime | None = None
    later: timedelta = timedelta(0)
    from_now: bool = False

    def resolve(self, ends: datetime | None, now: datetime) -> datetime:
        """The instant, to the second, in the zone of `ends` unless it has its own.

        Where there is no end yet, or it is over, `+2h` counts from now as `2h` does.
        """
        if self.instant is not None:
            return self.instant
        here = now.astimezone(ends.tzinfo if ends else UTC)
        start = here if self.from_now or ends is None or ends < now else ends
        return (start + self.later).replace(microsecond=0)


class UntilArgument(click.ParamType[Until]):
    """Converts to `Until`."""

    name = "until"

    def convert(self, value: object, param: Parameter | None, ctx: Context | None) -> Until:
        """A value of another form ends the command with status 2."""
        written = str(value)
        instant = parse_instant(written)
        if instant is not None:
            return Until(instant=instant)
        if written[:1].isdigit() and "-" in written:
            self.fail(f"{written!r} is no instant: write 2030-06-01T18:00:00+02:00", param, ctx)
        seconds = Duration().convert(written.removeprefix("+"), param, ctx)
        return Until(later=timedelta(seconds=seconds), from_now=not written.startswith("+"))
