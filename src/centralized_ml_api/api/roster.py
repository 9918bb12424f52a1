"""Reads a roster, the teams of an event as a table, and words why a team of it gets no place. Pure."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

from centralized_ml_api.api.keys import is_key
from centralized_ml_api.config.team_names import LONGEST_TEAM_NAME, is_team_name
from centralized_ml_api.errors import UsageError

_TEAM, _KEY = "team", "key"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A team of a roster: where it stands, and the key that it brings, empty for a new one."""

    line: int
    team: str
    key: str = field(default="", repr=False)


def read_roster(text: str) -> tuple[RosterRow, ...]:
    """Reads CSV with the column `team` and maybe `key`, by commas or semicolons; other columns are left out.

    Raises:
        UsageError: It is no such table, or a row of it cannot be a team. No key is in the message.
    """
    head = text.split("\n", 1)[0]
    delimiter = ";" if ";" in head and "," not in head else ","
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        columns = [name.strip().lower() for name in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UsageError(f"the roster is not CSV: {error}") from error
    if _TEAM not in columns:
        raise UsageError("the roster has no column `team`", fix="let its first line be: team")
    return tuple(_read_row(line, dict(zip(columns, row, strict=False))) for line, row in rows)


def _read_row(line: int, cells: dict[str, str]) -> RosterRow:
    team, key = cells.get(_TEAM, "").strip(), cells.get(_KEY, "").strip()
    if not is_team_name(team):
        raise UsageError(
            f"line {line} of the roster: {_shorten(team)!r} is no name of a team",
            fix=f"use up to {LONGEST_TEAM_NAME} letters from A to Z, digits, spaces, dots, hyphens and"
            " underscores, with a letter or digit at both ends",
        )
    if key and not is_key(key):
        raise UsageError(
            f"line {line} of the roster: what is under `key` is no whole key",
            fix="leave it empty, and a key is made",
        )
    return RosterRow(line, team, key)


def _shorten(cell: str) -> str:
    """Returns the beginning of a cell, which may hold a whole file."""
    return cell if len(cell) <= LONGEST_TEAM_NAME else f"{cell[:LONGEST_TEAM_NAME]}…"


def refuse_similar(row: RosterRow) -> UsageError:
    """Builds the error for a name that differs from that of a team in case alone."""
    return UsageError(
        f"line {row.line} of the roster: there is a team like {row.team} already, in another case",
        fix="write it as it is there",
    )


def refuse_full(row: RosterRow, places: int) -> UsageError:
    """Builds the error for a team that is one too many for so many places."""
    return UsageError(
        f"line {row.line} of the roster: all {places} places are taken",
        fix="raise `teams` of `event.join`",
    )
