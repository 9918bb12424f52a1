"""Holds the keys that are valid now: reads a changed file again, drops keys whose grace period is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys.record import list_teams
from centralized_ml_api.local.keys.store import Records
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.local.keys.store import KeyStore
    from centralized_ml_api.local.machine.clock import Clock

LOOK_SECONDS = 0.25

ValidKeys = Mapping[str, tuple[str, ...]]
"""The valid keys by team; a team without any key is there too."""


@record
class _ValidFor:
    """The keys that are valid while the records are these, from `since` to before `until`; None for ever.

    Thousands of teams are asked about several times a second, and hardly ever change.
    """

    records: Records
    since: datetime
    until: datetime | None
    keys: ValidKeys

    def holds(self, records: Records, now: datetime) -> bool:
        """Returns whether the keys are valid now; a clock may have been set back."""
        return self.records is records and self.since <= now and (self.until is None or now < self.until)


def _list_valid(records: Records, now: datetime) -> _ValidFor:
    ends = (former.until for each in records for former in each.former if former.until > now)
    keys = {each.team: each.valid_keys(now) for each in records if each.listed}
    return _ValidFor(records, now, min(ends, default=None), keys)


class KeyRing:
    """The keys of the process that serves. `run` reports when they change, and trouble with the file.

    It polls the wall clock: a timer would let a key outlive its grace period while the machine sleeps.
    """

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._records: Records = ()
        self._teams: tuple[tuple[str, ...], bool] | None = None
        self._mark = object()  # unlike any other
        self._valid: _ValidFor | None = None
        self._trouble: StartError | None = None

    @property
    def trouble(self) -> StartError | None:
        """Returns why the file cannot be read now; the keys that were valid before go on working."""
        return self._trouble

    async def use(self, teams: Iterable[str], *, has_places: bool = False) -> ValidKeys:
        """Makes these the teams that may call, each with a key, and returns the keys that are valid now.

        Args:
            teams: The teams of the config.
            has_places: Whether teams that joined may call too.

        Raises:
            StartError: The file of keys cannot be read or written.
        """
        wanted = tuple(teams), has_places
        if wanted != self._teams:
            self._records = await asyncio.to_thread(self._list, *wanted)
            self._teams = wanted
        return self.valid()

    async def change(self, decide: Callable[[Records], Records]) -> Records:
        """Changes the file, so that what was decided is on the disk, and uses what is there now.

        Raises:
            StartError: The file of keys cannot be read or written.
        """
        self._records = await asyncio.to_thread(self._store.change, decide)
        return self._records

    def valid(self) -> ValidKeys:
        """Returns the keys that are valid now: the very same mapping until they are others."""
        now = self._clock.now()
        if self._valid is None or not self._valid.holds(self._records, now):
            self._valid = _list_valid(self._records, now)
        return self._valid.keys

    async def run(self, changed: Callable[[], None]) -> None:
        """Looks several times per second until cancelled; calls `changed` after every change."""
        known = self.valid(), str(self._trouble)
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self._look()
            now = self.valid(), str(self._trouble)
            if now != known:
                known = now
                changed()

    async def _look(self) -> None:
        """Reads the file again; one that cannot be read changes nothing: whoever could call still can."""
        try:
            await asyncio.to_thread(self._read_anew)
        except StartError as error:
            self._trouble = error
        else:
            self._trouble = None

    def _read_anew(self) -> None:
        mark = self._store.mark()
        if mark == self._mark:
            return
        loaded = self._store.load()
        if loaded is None:  # it was deleted, maybe with its folder; callers must not notice
            self._store.restore(self._records)
        else:
            self._records, self._mark = loaded, mark

    def _list(self, teams: tuple[str, ...], has_places: bool) -> Records:  # noqa: FBT001  # as `use` has it
        """Lists the teams in the file; a config that never had teams needs no file."""
        if not teams and self._store.load() is None:
            return ()
        return self._store.change(lambda records: list_teams(records, teams, has_places=has_places))
