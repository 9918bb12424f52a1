"""What an organizer can tell the target to do while it serves: by the verbs, or on the screen.

Each act notes in the journal what it did, and how the organizer said so.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.keys import unknown_team
from centralized_ml_api.api.notices import SILENCE, Message
from centralized_ml_api.config.revise import move_end, write_instant
from centralized_ml_api.errors import MlApiError, StartError, UsageError
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from centralized_ml_api.local.keys.invitation import change_joining
from centralized_ml_api.local.run.reload import word_error
from centralized_ml_api.organizer.act_arguments import read_text, read_until, read_words
from centralized_ml_api.organizer.grant import NOTHING, UNITS, read_grant
from centralized_ml_api.organizer.journal import Journal, note_extension, note_not_applied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from centralized_ml_api.local.machine.clock import Clock
    from centralized_ml_api.local.run.reload import Reloader
    from centralized_ml_api.local.run.supervisor import Supervisor
    from centralized_ml_api.organizer.grant import Grant
    from centralized_ml_api.organizer.journal import Actor
    from centralized_ml_api.plan.event import TeamPlan
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
        self._telling = asyncio.Lock()
        self._acts: dict[str, Act] = {
            "wake": self._wake,
            "sleep": self._sleep,
            "restart": self._restart,
            "new-key": self._renew_key,
            "revoke": self._revoke,
            "open-joining": self._open_joining,
            "close-joining": self._close_joining,
            "new-code": self._renew_code,
            "extend": self._extend,
            "pause": self._pause,
            "resume": self._resume,
            "message": self._say,
            "grant": self._grant,
            "take-back": self._take_back,
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
            return {"error": word_error(error), "fix": error.fix, "failed": not isinstance(error, UsageError)}

    async def _wake(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        name = self._find_sleeper(wanted).name
        self._check_hours(name)
        self._supervisor.sleeping.wake(name)
        self._journal(by).note("wake", name)
        return {}

    async def _sleep(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        self._find_sleeper(wanted)
        await self._supervisor.sleeping.hear_calls()
        name = self._find_sleeper(wanted).name  # a reload may have removed it meanwhile
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
        self._check_hours(entry.name)
        view = self._supervisor.sleeping.view(entry.name)
        if view is not None and view.phase == "asleep" and not view.failed:
            raise UsageError(f"{entry.name} sleeps: it starts when it is called, or woken")
        journal = self._journal(by)
        journal.note("restart", entry.name)
        reloaded = await self._reloader.restart(entry.name)
        if self._supervisor.plan.deployment(entry.name) is None:  # by a reload that was under way
            journal.note("restart failed", entry.name, "it was removed")
            raise StartError(f"{entry.name} was removed", fix="look at the config that is served")
        for failure in (*reloaded.kept, *reloaded.failed):
            if failure.name == entry.name:
                journal.note("restart failed", entry.name, failure.reason)
                kept = "; the one before goes on" if failure in reloaded.kept else ""
                raise StartError(f"{entry.name} did not start again: {failure.reason}{kept}")
        return {}

    async def _renew_key(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Returns the new key, which is in no journal."""
        team, keys = read_text(wanted, "team"), self._keys(by)
        await asyncio.to_thread(keys.rotate, team, GRACE)
        return {"key": await asyncio.to_thread(keys.show, team)}

    async def _revoke(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        await asyncio.to_thread(self._keys(by).revoke, read_text(wanted, "team"))
        return {}

    async def _open_joining(self, _: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        return await self._change_joining(by, is_closed=False)

    async def _close_joining(self, _: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        return await self._change_joining(by, is_closed=True)

    async def _renew_code(self, _: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        return await self._change_joining(by, new_code=True)

    async def _change_joining(self, by: Actor, **change: bool) -> dict[str, Any]:
        book, event = JoinBook(self._state, by), self._supervisor.teams.event
        await asyncio.to_thread(change_joining, book, event, self._clock.now(), **change)
        return {}

    async def _extend(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Moves the end by `minutes`, or to the instant `until`; returns the end `before` and the new one.

        It is written into the config that is served, as the verb writes it.
        """
        moved = await asyncio.to_thread(
            move_end, self._reloader.config, read_until(wanted), self._clock.now().replace(microsecond=0)
        )
        moved.check_is_later(self._clock.now(), "choose a later instant")
        await asyncio.to_thread(moved.save)
        note_extension(self._journal(by), moved.after)
        told = await self._reloader.reload(None)
        if "kept" not in told:
            reason = told.get("error", "it has errors")
            note_not_applied(self._journal(by), reason)
            raise StartError(f"the config says so now, but was not applied: {reason}")
        before = "" if moved.before is None else write_instant(moved.before)
        return {"before": before, "ends": render_instant(moved.after)}

    async def _pause(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Pauses an entry, a `team`, or everything where neither is named; callers get the `words`."""
        notices, (entry, team), words = (
            self._supervisor.notices,
            self._find_paused(wanted),
            read_words(wanted),
        )
        async with self._telling:
            before = notices.find(entry, team=team)
            notices.pause(entry, words, team=team)
            await self._tell(
                lambda: (
                    notices.resume(entry, team=team)
                    if before is None
                    else notices.pause(entry, before, team=team)
                )
            )
        self._journal(by).note("pause team" if team else "pause", entry or team, words)
        return {}

    async def _resume(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Ends a pause, even of what a reload has removed since; returns the `words` that it had."""
        notices = self._supervisor.notices
        team = read_text(wanted, "team") if "team" in wanted else ""
        entry = read_text(wanted, "name") if "name" in wanted and not team else None
        async with self._telling:
            words = notices.find(entry, team=team)
            if words is None:
                raise UsageError(f"{entry or team or 'the whole API'} is not paused")
            notices.resume(entry, team=team)
            await self._tell(lambda: notices.pause(entry, words, team=team))
        self._journal(by).note("resume team" if team else "resume", entry or team)
        return {"words": words}

    async def _grant(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Lets a `team` use more: `usd`, `tokens`, `requests` a day; returns the end, `ends`, maybe empty."""
        team, grant = self._find_team(wanted), read_grant(wanted)
        if unit := grant.find_unlimited(team):
            raise UsageError(f"nothing limits {team.name} in {unit}", fix="grant what is limited")
        await self._change_grant(team.name, lambda before: before.add(grant))
        self._journal(by).note("grant", team.name, grant.word())
        ends = self._supervisor.plan.event.ends
        return {"ends": render_instant(ends) if ends else ""}

    async def _take_back(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Takes back what a `team` was granted: as much as is named, or else all of it; returns how much."""
        name = read_text(wanted, "team")
        named = read_grant(wanted) if any(unit in wanted for unit in UNITS) else None

        def take(given: Grant) -> Grant:
            left = NOTHING if named is None else given.take(named)
            if left == given:
                raise UsageError(f"{name} was granted nothing{'' if given == NOTHING else ' of that kind'}")
            return left

        before, after = await self._change_grant(name, take)
        back = before.take(after)
        self._journal(by).note("take back", name, back.word())
        return back.to_json()

    async def _change_grant(self, team: str, change: Callable[[Grant], Grant]) -> tuple[Grant, Grant]:
        """Returns what a team had been granted, and what it is granted now."""
        grants = self._supervisor.teams.grants
        async with self._telling:
            before = grants.find(team)
            after = change(before)
            await asyncio.to_thread(grants.replace, team, after)
            await self._tell(lambda: grants.restore(team, before))
        return before, after

    async def _say(self, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Says `words` to everybody, or nothing more; returns the words `before`."""
        notices, words = self._supervisor.notices, read_words(wanted)
        async with self._telling:
            before = notices.message
            notices.message = Message(words, self._clock.now()) if words else SILENCE

            def take_back() -> None:
                notices.message = before

            await self._tell(take_back)
        self._journal(by).note("message" if words else "no message", detail=words)
        return {"before": before.words}

    async def _tell(self, take_back: Callable[[], None]) -> None:
        """Lets the gateway know; what it refuses is taken back. The caller holds `_telling`.

        Args:
            take_back: Must not raise: the caller is to learn why the gateway refused.
        """
        try:
            await self._supervisor.publish()
        except StartError:
            take_back()
            self._supervisor.note_change()  # it may have taken a part, or take it all when it starts again
            raise

    def _find_paused(self, wanted: Mapping[str, Any]) -> tuple[str | None, str]:
        """Returns the entry, or else the team; neither where all is meant."""
        if "team" in wanted:
            return None, self._find_team(wanted).name
        return (self._find_entry(wanted).name if "name" in wanted else None), ""

    def _find_team(self, wanted: Mapping[str, Any]) -> TeamPlan:
        """Finds the team, as its config has it or as it joined.

        Raises:
            UsageError: There is none of that name.
        """
        name = read_text(wanted, "team")
        teams = self._supervisor.plan.event.teams
        for team in teams:
            if team.name == name:
                return team
        raise unknown_team(name, (team.name for team in teams))

    def _check_hours(self, name: str) -> None:
        """Checks that an entry may be awake now.

        Raises:
            UsageError: It sleeps outside the hours of the event.
        """
        view = self._supervisor.sleeping.view(name)
        if view is not None and view.closed:
            raise UsageError(
                f"{name} sleeps outside the hours of the event",
                fix="change event.hours in the config, and reload",
            )

    def _journal(self, by: Actor) -> Journal:
        return Journal(self._state, by, self._clock.now)

    def _keys(self, by: Actor) -> LocalKeys:
        return LocalKeys(KeyStore(self._state), self._clock.now, by)

    def _find_entry(self, wanted: Mapping[str, Any]) -> ModelDeployment:
        """Finds the entry.

        Raises:
            UsageError: There is none of that name.
        """
        name, plan = read_text(wanted, "name"), self._supervisor.plan
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
