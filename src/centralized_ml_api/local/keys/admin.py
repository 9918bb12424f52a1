"""Shows and changes the keys of one machine for `mlapi keys`; a process that serves notices by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.api.keys import NO_TEAMS_FIX, SHOWN_CHARACTERS, FormerKey, TeamKeys, unknown_team
from centralized_ml_api.commands import command, state_flags
from centralized_ml_api.errors import UsageError
from centralized_ml_api.organizer.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from centralized_ml_api.local.keys.record import TeamRecord
    from centralized_ml_api.local.keys.store import KeyStore, Records
    from centralized_ml_api.organizer.journal import Actor


class LocalKeys:
    """The `Keys` of a state folder, whose journal has every change; also works while nothing runs.

    Raises:
        UsageError: (every method) There are no keys yet, or no such team.
        StartError: (every method) The file of keys cannot be read or written.
    """

    def __init__(
        self,
        store: KeyStore,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        by: Actor = "command line",
    ) -> None:
        self._store = store
        self._now = now
        self._journal = Journal(store.path.parent, by, now)

    def teams(self) -> Sequence[TeamKeys]:
        """Returns every team, in the order of the config, then those that the config no longer lists."""
        now = self._now()
        return [_hide_values(record, now) for record in self._load()]

    def show(self, team: str) -> str:
        """Returns the value of the team's current key.

        Raises:
            UsageError: There is no such team, or its key was revoked.
        """
        key = _find(self._load(), team).key
        if key is None:
            raise UsageError(
                f"team {team} has no key: its key was revoked",
                fix=f"make one: {command('keys', 'rotate', team, *state_flags(self._store.path.parent))}",
            )
        return key

    def rotate(self, team: str, grace: timedelta) -> None:
        """Gives the team a new key; its previous key goes on working for `grace`."""
        now = self._now()
        self._change(team, lambda record: record.rotated(now, grace))
        self._journal.note("new key", team)

    def revoke(self, team: str, *, former_only: bool = False) -> None:
        """Takes all keys from the team, or only those that were replaced."""
        self._change(team, lambda record: record.revoked(former_only=former_only))
        self._journal.note("revoke former keys" if former_only else "revoke", team)

    def _load(self) -> Records:
        records = self._store.load()
        if not records:
            raise UsageError(
                f"there are no keys in {self._store.path.parent}",
                fix=f"{NO_TEAMS_FIX}; or name another state folder with --state",
            )
        return records

    def _change(self, team: str, change: Callable[[TeamRecord], TeamRecord]) -> None:
        _find(self._load(), team)

        def decide(records: Records) -> Records:
            changed = change(_find(records, team))
            return tuple(changed if record.team == team else record for record in records)

        self._store.change(decide)


def _find(records: Records, team: str) -> TeamRecord:
    for record in records:
        if record.team == team:
            return record
    raise unknown_team(team, (record.team for record in records))


def _hide_values(record: TeamRecord, now: datetime) -> TeamKeys:
    shown = TeamKeys(
        team=record.team,
        state="active" if record.key else "revoked",
        ending=(record.key or "")[-SHOWN_CHARACTERS:],
        former=tuple(
            FormerKey(former.key[-SHOWN_CHARACTERS:], former.until)
            for former in record.former
            if former.until > now
        ),
    )
    return shown if record.listed else replace(shown, state="not listed")
