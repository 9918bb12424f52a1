"""Gives places to the teams of a roster. Pure, but new keys are random."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.api.roster import refuse_full, refuse_similar
from centralized_ml_api.errors import UsageError
from centralized_ml_api.local.keys.places import NameTakenError, PlacesTakenError, take_place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from centralized_ml_api.api.roster import RosterRow
    from centralized_ml_api.local.keys.record import TeamRecord


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
            raise refuse_similar(row) from None
        except PlacesTakenError:
            raise refuse_full(row, places) from None
    return added


def _list_keys(record: TeamRecord) -> tuple[str | None, ...]:
    return (record.key, *(former.key for former in record.former))
