"""What an organizer can tell the target to do while it serves: by the verbs, or on the screen.

Each act notes in the journal what it did, and how the organizer said so.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import MlApiError, StartError, UsageError
from centralized_ml_api.local.journal import Journal
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from centralized_ml_api.local.keys.invitation import change_joining

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from centralized_ml_api.local.journal import Actor
    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.run.reload import Reloader
    from centralized_ml_api.local.run.supervisor import Supervisor
    from centralized_ml_api.plan.types import ModelDeployment

    Act = Callable[[Mapping[str, Any], Actor], Awaitable[dict[str, Any]]]

GRACE = timedelta(hours=1)
"""How long a key that is replaced on the screen goes on working, as with the verb."""


class Acts:
    """The acts of one target, by name: `do`.

    Args:
        supervisor: Has the entries.
        reloader: Changes what is served.
        state: The path of the state folder.
        clock: Tells when something was done.
    """

    def __init__(self, supervisor: Supervisor, reloader: Reloader, state: Path, clock: Clock) -> None:
        self._supervisor = supervisor
        self._reloader = reloader
        self._state = state
        self._clock = clock
        self._acts: dict[str, Act] = {
            "wake": self._wake,
            "sleep": self._sleep,
            "restart": self._restart,
            "new-key": self._renew_key,
            "revoke": self._revoke,
            "open-joining": self._open_joining,
            "close-joining": self._close_joining,
            "new-code": self._renew_code,
        }

    async def do(self, act: str, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Does something; returns what there is to tell, or `error`, `fix` and whether it `failed`.

        Otherwise what was wanted is impossible.

        Args:
            act: Its name.
            wanted: To what: `name` is that of an entry, `team` that of a team.
            by: How the organizer said so.
        """
        found = self._acts.get(act)
        try:
            if found is None:
                raise UsageError(f"there is no act {act}", fix=f"name one of: {', '.join(self._acts)}")
            return await found(wanted, by)
        except MlApiError as error:
            return {"error": error.message, "fix": error.fix, "failed": not isinstance(error, UsageError)}

    async def _wake(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        name = self._find_sleeper(wanted).name
        view = self._supervisor.sleeping.view(name)
        if view is not None and view.closed:
            raise UsageError(
                f"{name} sleeps outside the hours of the event",
                fix="change event.hours in the config, and reload",
            )
        self._supervisor.sleeping.wake(name)
        self._journal(by).note("wake", name)
        return {}

    async def _sleep(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        name = self._find_sleeper(wanted).name
        if not self._supervisor.sleeping.sleep(name):
            raise UsageError(f"calls wait for {name}", fix="try again when they are answered")
        self._journal(by).note("sleep", name)
        return {}

    async def _restart(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Returns once the new servers answer, or with why they do not."""
        entry = self._find_entry(wanted)
        if why := self._supervisor.why_refused(entry.name):
            raise UsageError(f"{entry.name} is not served here: {why}")
        if entry.function is None and not (entry.local and entry.local.serving.runs_here):
            raise UsageError(f"{entry.name} runs elsewhere", fix="restart it where it runs")
        view = self._supervisor.sleeping.view(entry.name)
        if view is not None and view.phase == "asleep" and not view.failed:
            raise UsageError(f"{entry.name} sleeps: it starts when it is called, or woken")
        journal = self._journal(by)
        journal.note("restart", entry.name)
        reloaded = await self._reloader.restart(entry.name)
        for failure in (*reloaded.kept, *reloaded.failed):
            if failure.name == entry.name:
                journal.note("restart failed", entry.name, failure.reason)
                kept = "; the one before goes on" if failure in reloaded.kept else ""
                raise StartError(f"{entry.name} did not start again: {failure.reason}{kept}")
        return {}

    async def _renew_key(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Returns the new key, which is in no journal."""
        team, keys = _text(wanted, "team"), self._keys(by)
        await asyncio.to_thread(keys.rotate, team, GRACE)
        return {"key": await asyncio.to_thread(keys.show, team)}

    async def _revoke(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        await asyncio.to_thread(self._keys(by).revoke, _text(wanted, "team"))
        return {}

    async def _open_joining(self, _: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        return await self._change_joining(by, is_closed=False)

    async def _close_joining(self, _: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        return await self._change_joining(by, is_closed=True)

    async def _renew_code(self, _: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        return await self._change_joining(by, new_code=True)

    async def _change_joining(self, by: Actor, **change: bool) -> dict[str, Any]:
        book, event = JoinBook(self._state, by), self._supervisor.teams.event
        await asyncio.to_thread(change_joining, book, event, **change)
        return {}

    def _journal(self, by: Actor) -> Journal:
        return Journal(self._state, by, self._clock.now)

    def _keys(self, by: Actor) -> LocalKeys:
        return LocalKeys(KeyStore(self._state), self._clock.now, by)

    def _find_entry(self, wanted: Mapping[str, Any]) -> ModelDeployment:
        """Finds the entry.

        Raises:
            UsageError: There is none of that name.
        """
        name, plan = _text(wanted, "name"), self._supervisor.plan
        if entry := plan.deployment(name):
            return entry
        entries = ", ".join(entry.name for entry in plan.deployments)
        raise UsageError(f"there is no entry {name}", fix=f"name one of these: {entries}")

    def _find_sleeper(self, wanted: Mapping[str, Any]) -> ModelDeployment:
        """Finds an entry that may sleep.

        Raises:
            UsageError: There is none of that name, or it never sleeps.
        """
        entry = self._find_entry(wanted)
        if entry.name not in self._supervisor.sleeping:
            raise UsageError(
                f"{entry.name} never sleeps",
                fix='give its "local" one of "idle", "starts": "on-call" and "shares", and reload',
            )
        return entry


def _text(wanted: Mapping[str, Any], name: str) -> str:
    """Reads a text of what is wanted.

    Raises:
        UsageError: It is not there.
    """
    value = wanted.get(name)
    if not isinstance(value, str) or not value:
        raise UsageError(f"`{name}` is missing")
    return value
