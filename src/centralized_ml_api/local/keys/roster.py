"""Reads a roster, the teams of an event as a table, and gives them places. Pure, but new keys are random."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from centralized_ml_api.api.keys import is_key, new_key
from centralized_ml_api.config.team_names import LONGEST_TEAM_NAME, is_team_name
from centralized_ml_api.errors import UsageError
from centralized_ml_api.local.keys.places import NameTakenError, PlacesTakenError, take_place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from centralized_ml_api.local.keys.record import TeamRecord

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
        UsageError: it is no such table, or a row of it cannot be a team. No key is in the message.
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


def add_roster(
    records: Sequence[TeamRecord], rows: Iterable[RosterRow], *, places: int, listed: Collection[str]
) -> tuple[TeamRecord, ...]:
    """Returns the records with a place for each team of a roster; teams that are there stay as they are.

    Args:
        records: The teams so far.
        rows: The roster.
        places: How many teams may join.
        listed: The teams of the config.

    Raises:
        UsageError: A name differs from that of a team in case alone, a key is another team's, or there are
            not enough places. Nothing is added then.
    """
    added = tuple(records)
    for row in rows:
        known = {record.team for record in added} | {*listed}
        if row.team in known:
            continue
        if row.key and any(row.key in _list_keys(record) for record in added):
            raise UsageError(f"line {row.line} of the roster: another team has the key of {row.team}")
        try:
            added = take_place(added, row.team, row.key or new_key(), places=places, listed=listed)
        except NameTakenError:
            raise UsageError(
                f"line {row.line} of the roster: there is a team like {row.team} already, in another case",
                fix="write it as it is there",
            ) from None
        except PlacesTakenError:
            raise UsageError(
                f"line {row.line} of the roster: all {places} places are taken",
                fix="raise `teams` of `event.join`",
            ) from None
    return added


def _list_keys(record: TeamRecord) -> tuple[str | None, ...]:
    return (record.key, *(former.key for former in record.former))
