"""Lets teams join while the API serves: checks what they bring, and hands each a key of its own.

A key is on the disk, and known to the gateway, before its team is told. One team joins at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from dataclasses import field
from typing import TYPE_CHECKING

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.joining import LONGEST_JOINED_NAME, clean_name, is_code
from centralized_ml_api.api.keys import new_key
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.admission.refusals import RefusalError
from centralized_ml_api.local.gateway import Door
from centralized_ml_api.local.keys import JoinBook
from centralized_ml_api.local.keys.places import NameTakenError, PlacesTakenError, Tries, take_place
from centralized_ml_api.local.machine.clock import WALL_CLOCK, Clock
from centralized_ml_api.local.machine.ports import bind_loopback
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.errors import MlApiError
    from centralized_ml_api.local.keys import KeyRing
    from centralized_ml_api.local.keys.store import Records
    from centralized_ml_api.local.run.supervisor import Supervisor
    from centralized_ml_api.plan.event import EventPlan, JoinPlan

TELL_SECONDS = 10.0
"""How long the gateway has to learn of a key; a key that it does not know by then works a little later."""


@record
class Joined:
    """A team that has joined, and its key."""

    team: str
    key: str = field(repr=False)


class JoinDesk:
    """Hands out the places.

    Args:
        keys: The keys of the teams.
        book: The code, and whether the door is closed.
        event: Returns the event as the config has it now.
        until_told: Waits until the gateway knows the keys of a team.
        fail: Takes the error while no key can be kept; nothing is said twice.
        clock: Tells when joining closes, and how long ago somebody tried.
        make_key: Makes a key.
    """

    def __init__(
        self,
        keys: KeyRing,
        book: JoinBook,
        event: Callable[[], EventPlan],
        until_told: Callable[[str], Awaitable[None]],
        fail: Callable[[MlApiError], None],
        *,
        clock: Clock = WALL_CLOCK,
        make_key: Callable[[], str] = new_key,
    ) -> None:
        self._keys = keys
        self._book = book
        self._event = event
        self._until_told = until_told
        self._fail = fail
        self._fault = ""
        self._clock = clock
        self._make_key = make_key
        self._tries = Tries(clock.monotonic)
        self._one_at_a_time = asyncio.Lock()

    async def join(self, address: str, code: str, name: str) -> Joined:
        """Gives a team a place and its key.

        Args:
            address: Where the call comes from.
            code: The code that it brings.
            name: How the team wants to be called.

        Raises:
            RefusalError: It cannot join so.
        """
        self._check_tries(address)  # here too: whoever floods the desk must not stand in anybody's way
        try:
            async with self._one_at_a_time:
                joined = await self._take_place(address, code, name)
        except StartError as error:
            if str(error) != self._fault:
                self._fail(error)
            self._fault = str(error)
            raise RefusalError(errors.JOIN_NOT_KEPT, errors.RETRY_AFTER_SECONDS) from error
        self._fault = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TELL_SECONDS):
                await self._until_told(joined.team)
        return joined

    async def _take_place(self, address: str, code: str, name: str) -> Joined:
        event = self._event()
        if event.join is None:
            raise RefusalError(errors.JOIN_CLOSED)
        await self._check_door(event.join)
        await self._check_code(address, code, event.join)
        team = clean_name(name)
        if team is None:
            raise RefusalError(errors.JOIN_NAME_INVALID.with_message("up_to", characters=LONGEST_JOINED_NAME))
        key, places = self._make_key(), event.join.places
        listed = {record.name for record in event.teams}

        def decide(records: Records) -> Records:
            return take_place(records, team, key, places=places, listed=listed)

        try:
            await self._keys.change(decide)
        except NameTakenError as error:
            raise RefusalError(errors.JOIN_NAME_TAKEN) from error
        except PlacesTakenError as error:
            raise RefusalError(errors.JOIN_FULL.with_message("all", places=places)) from error
        return Joined(team, key)

    async def _check_door(self, plan: JoinPlan) -> None:
        if plan.until is not None and plan.until <= self._clock.now():
            raise RefusalError(errors.JOIN_CLOSED.with_message("since", until=render_instant(plan.until)))
        if (await asyncio.to_thread(self._book.load)).is_closed:
            raise RefusalError(errors.JOIN_CLOSED)

    def _check_tries(self, address: str) -> None:
        pause = self._tries.pause_seconds(address)
        if pause:
            raise RefusalError(errors.JOIN_LIMITED.with_message("in_seconds", seconds=pause), pause)

    async def _check_code(self, address: str, code: str, plan: JoinPlan) -> None:
        self._check_tries(address)
        if not is_code(code, await asyncio.to_thread(self._book.code_of, plan)):
            self._tries.note_wrong(address)
            raise RefusalError(errors.JOIN_CODE_WRONG)


class Entrance:
    """Where the gateway reaches the desk: a socket on loopback from the start on, and a token of this run.

    Args:
        folder: The state folder.
        keys: The keys of the teams.
        clock: That of the desk.
        fail: That of the desk.
    """

    def __init__(self, folder: Path, keys: KeyRing, clock: Clock, fail: Callable[[MlApiError], None]) -> None:
        self._folder = folder
        self._keys = keys
        self._clock = clock
        self._fail = fail
        self.socket = bind_loopback()
        self.door = Door(self.socket.getsockname()[1], secrets.token_urlsafe(32))

    def open_desk(self, supervisor: Supervisor) -> JoinDesk:
        """Opens the desk of what the supervisor serves."""

        async def until_told(team: str) -> None:
            supervisor.note_change()
            await supervisor.teams.until_told(team)

        book = JoinBook(self._folder)
        return JoinDesk(
            self._keys, book, lambda: supervisor.teams.event, until_told, self._fail, clock=self._clock
        )
