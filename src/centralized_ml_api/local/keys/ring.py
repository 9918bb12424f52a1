"""The keys that open the gateway now: read again whenever the file changes, and when one's time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys.record import list_teams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from centralized_ml_api.local.keys.store import KeyStore, Records
    from centralized_ml_api.local.run.ending import Clock

LOOK_SECONDS = 0.25

Valid = Mapping[str, tuple[str, ...]]
"""What opens the API, by team; a team without any key is there too."""


class KeyRing:
    """The keys of the process that serves. `run` tells when others are valid, and of trouble with the file.

    The wall clock is looked at again and again, so that a key whose grace is over leaves also after the
    machine has slept.
    """

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._records: Records = ()
        self._teams: tuple[str, ...] | None = None
        self._mark = object()  # unlike any
        self._trouble: StartError | None = None

    @property
    def trouble(self) -> StartError | None:
        """Why the file cannot be read now, while those keys go on that were valid before."""
        return self._trouble

    async def use(self, teams: Iterable[str]) -> Valid:
        """Makes these the teams that may call, each with a key, and gives the keys that are valid now.

        Raises:
            StartError: the file of keys cannot be read or written.
        """
        wanted = tuple(teams)
        if wanted != self._teams:
            self._records = await asyncio.to_thread(self._list, wanted)
            self._teams = wanted
        return self.valid()

    def valid(self) -> Valid:
        """What opens the API now."""
        now = self._clock.now()
        return {one.team: one.valid_keys(now) for one in self._records if one.listed}

    async def run(self, changed: Callable[[], None]) -> None:
        """Looks several times a second, until cancelled."""
        known = self.valid(), str(self._trouble)
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self._look()
            now = self.valid(), str(self._trouble)
            if now != known:
                known = now
                changed()

    async def _look(self) -> None:
        """A file that cannot be read changes nothing: those who could call go on."""
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
        if loaded is None:  # somebody deleted it, or the whole folder; callers must not notice
            self._store.restore(self._records)
        else:
            self._records, self._mark = loaded, mark

    def _list(self, teams: tuple[str, ...]) -> Records:
        """A config that never had teams needs no file."""
        if not teams and self._store.load() is None:
            return ()
        return self._store.change(lambda records: list_teams(records, teams))
