"""What an organizer can do while the target serves: what happens, what is refused, what is noted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.notices import SILENCE
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys import JoinBook, KeyRing, KeyStore, LocalKeys
from centralized_ml_api.local.run.acts import Acts
from centralized_ml_api.local.run.grants import GRANTS_FILE, Grants
from centralized_ml_api.local.run.options import Terminal
from centralized_ml_api.local.run.reload import Reloader
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.organizer.grant import NOTHING, Grant
from centralized_ml_api.organizer.journal import Journal
from centralized_ml_api.plan.engines import UrlServing
from centralized_ml_api.plan.event import EventPlan, JoinPlan, Spending, TeamPlan
from centralized_ml_api.plan.types import SleepPlan
from support.fake_target import NOON, FakeGateway, FakeLink, FakeService, HandClock, entry, plan, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from centralized_ml_api.local.run.specs import ServiceSpec
    from centralized_ml_api.local.supervision.service import ServiceState

TEAM = TeamPlan("red", None, None, None, spending=Spending(nanodollars=2 * 10**9))
EVENT = EventPlan(teams=(TEAM,), join=JoinPlan(3, TEAM))


class World:
    """The acts of a target among fakes. New services are in the state `begins`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = HandClock()
        self.gateway = FakeGateway()
        self.made: list[FakeService] = []
        self.begins: ServiceState = "ready"
        self.supervisor = Supervisor(
            self.gateway,
            KeyRing(KeyStore(folder), self.time.clock),
            self.make,
            link=FakeLink(),
            times=WakeTimes(folder / WAKE_TIMES_FILE),
            show=lambda: None,
            fail=lambda _: None,
            clock=self.time.clock,
            grants=Grants(folder / GRANTS_FILE, NOON),
        )
        terminal = Terminal(lambda _: None, lambda _: None, lambda _: None)
        self.reloader = Reloader(folder / "models.json", self.supervisor, terminal, lambda _: None)
        self.config = folder / "models.json"
        self.config.write_text('{"models": [], "event": {"ends": "2030-06-01T18:00:00+02:00"}} // ours')
        self.acts = Acts(self.supervisor, self.reloader, folder, self.time.clock)

    def make(self, spec: ServiceSpec, changed: Callable[[], None]) -> FakeService:
        service = FakeService(spec, changed, state=self.begins)
        service.detail = "no memory" if self.begins == "failed" else ""
        self.made.append(service)
        return service

    async def do(self, act: str, **wanted: Any) -> dict[str, Any]:
        return await self.acts.do(act, wanted, "screen")

    @property
    def journal(self) -> list[tuple[str, str, str]]:
        """What was done, the first first; all of it on the screen."""
        deeds = Journal(self.folder).load(99)[::-1]
        assert {deed.by for deed in deeds} <= {"screen"}
        return [(deed.act, deed.subject, deed.detail) for deed in deeds]


@asynccontextmanager
async def serving(folder: Path, event: EventPlan = EVENT) -> AsyncIterator[World]:
    world = World(folder)
    asleep = replace(entry("lazy"), sleep=SleepPlan(on_call=True))
    elsewhere = entry("far", UrlServing("http://127.0.0.1:1", None))
    await world.supervisor.start(plan(entry("a"), asleep, elsewhere, event=event))
    tasks = [asyncio.create_task(world.supervisor.run())]
    try:
        yield world
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await world.supervisor.stop()


def story(tell: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(tell(), 60))


def test_a_restart_is_noted_and_so_is_one_that_fails(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            before = len(world.made)
            assert await world.do("restart", name="a") == {}
            assert [service.spec.name for service in world.made[before:]] == ["a"]
            world.begins = "failed"
            assert await world.do("restart", name="a") == {
                "error": "a did not start again: no memory; the one before goes on",
                "fix": "",
                "failed": True,
            }
            assert world.journal == [
                ("restart", "a", ""),
                ("restart", "a", ""),
                ("restart failed", "a", "no memory"),
            ]

    story(tell)


@pytest.mark.parametrize(
    ("act", "wanted", "error"),
    [
        ("restart", {"name": "b"}, "there is no entry b"),
        ("restart", {"name": "far"}, "far runs elsewhere"),
        ("restart", {"name": "lazy"}, "lazy sleeps: it starts when it is called, or woken"),
        ("restart", {"name": 7}, "`name` is missing"),
        ("wake", {"name": "a"}, "a never sleeps"),
        ("sleep", {"name": "a"}, "a never sleeps"),
        ("new-key", {"team": "blue"}, "there is no team 'blue'"),
        ("revoke", {}, "`team` is missing"),
        ("explode", {}, "there is no act explode"),
        ("pause", {"name": "b"}, "there is no entry b"),
        ("pause", {"words": 7}, "`words` is no text"),
        ("resume", {"name": "a"}, "a is not paused"),
        ("resume", {}, "the whole API is not paused"),
        ("pause", {"team": "blue"}, "there is no team 'blue'"),
        ("resume", {"team": "red"}, "red is not paused"),
        ("grant", {"team": "blue", "usd": 1}, "there is no team 'blue'"),
        ("grant", {"team": "red", "tokens": 1}, "nothing limits red in tokens"),
        ("grant", {"team": "red"}, "there is no amount"),
        ("take-back", {"team": "red"}, "red was granted nothing"),
        ("message", {"words": "a" * 281}, "these are 281 characters"),
        ("extend", {}, "`minutes` or `until` is missing"),
        ("extend", {"minutes": 0}, "`minutes` or `until` is missing"),
        ("extend", {"until": "2030-06-01T11:00:00Z"}, "2030-06-01T11:00:00Z is in the past"),
    ],
)
def test_what_is_impossible_is_said_and_not_noted(
    act: str, wanted: dict[str, Any], error: str, tmp_path: Path
) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            told = await world.do(act, **wanted)
            assert (told["error"], told["failed"]) == (error, False)
            assert world.journal == []

    story(tell)


@pytest.mark.parametrize(
    ("event", "fix"),
    [
        (EVENT, "choose one of: red"),
        (EventPlan(), 'list teams in the config, such as "event": {"teams": ["red", "blue"]}, and serve it'),
    ],
)
def test_who_names_no_team_is_told_which_there_are_or_how_to_have_some(
    event: EventPlan, fix: str, tmp_path: Path
) -> None:
    async def tell() -> None:
        async with serving(tmp_path, event) as world:
            for act in ("grant", "pause"):
                assert (await world.do(act, team="blue", usd=1))["fix"] == fix

    story(tell)


def test_who_may_sleep_is_woken_and_put_to_sleep(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            assert await world.do("wake", name="lazy") == {}
            view = world.supervisor.sleeping.view("lazy")
            assert view is not None
            assert await world.do("sleep", name="lazy") == {}
            assert world.journal == [("wake", "lazy", ""), ("sleep", "lazy", "")]

    story(tell)


def test_a_new_key_is_told_once_and_a_revoked_one_is_gone(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            keys = LocalKeys(KeyStore(tmp_path))
            before = keys.show("red")
            told = await world.do("new-key", team="red")
            assert told == {"key": keys.show("red")}
            assert told["key"] != before
            assert await world.do("revoke", team="red") == {}
            assert keys.teams()[0].state == "revoked"
            assert world.journal == [("new key", "red", ""), ("revoke", "red", "")]

    story(tell)


def test_the_door_is_closed_and_opened_and_gets_another_code(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            book = JoinBook(tmp_path)
            code = book.load().code
            assert await world.do("close-joining") == {}
            assert book.load().is_closed
            assert await world.do("open-joining") == {}
            assert await world.do("new-code") == {}
            assert not book.load().is_closed
            assert book.load().code != code
            assert [act for act, _, _ in world.journal] == ["close joining", "open joining", "new code"]

    story(tell)


def test_a_pause_reaches_the_gateway_and_ends(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            assert await world.do("pause", name="a", words=" Back at\n14:00 ") == {}
            assert world.gateway.applied[-1].paused == {"a": "Back at 14:00"}
            assert "a is paused: Back at 14:00" in world.supervisor.notes
            assert await world.do("pause") == {}
            assert world.gateway.applied[-1].paused == {"a": "", "lazy": "", "far": ""}
            assert await world.do("resume") == {"words": ""}
            assert await world.do("resume", name="a") == {"words": "Back at 14:00"}
            assert world.gateway.applied[-1].paused == {}
            assert world.journal == [
                ("pause", "a", "Back at 14:00"),
                ("pause", "", ""),
                ("resume", "", ""),
                ("resume", "a", ""),
            ]

    story(tell)


def test_a_team_is_paused_and_others_go_on(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            assert await world.do("pause", team="red", words="Come to the desk") == {}
            (red,) = world.gateway.applied[-1].teams
            assert (red.name, red.paused, red.may_call("a")) == ("red", "Come to the desk", False)
            assert world.gateway.applied[-1].paused == {}
            assert "the team red is paused: Come to the desk" in world.supervisor.notes
            world.gateway.refusal = StartError("too long")
            assert (await world.do("resume", team="red"))["failed"]
            world.gateway.refusal = None
            assert await world.do("resume", team="red") == {"words": "Come to the desk"}
            assert world.gateway.applied[-1].teams[0].may_call("a")
            assert world.journal == [("pause team", "red", "Come to the desk"), ("resume team", "red", "")]

    story(tell)


def test_the_pause_of_what_a_reload_removed_can_be_ended(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            await world.do("pause", team="red", words="Come to the desk")
            await world.do("pause", name="a", words="why")
            assert "a" in (await world.reloader.reload(None))["removed"]
            assert await world.do("resume", team="red") == {"words": "Come to the desk"}
            assert await world.do("resume", name="a") == {"words": "why"}
            assert world.supervisor.notices.word([]) == ()
            assert (await world.do("resume", name="a"))["error"] == "a is not paused"

    story(tell)


def test_a_team_is_granted_more_and_it_is_taken_back(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:

            def limit() -> int | None:
                return world.gateway.applied[-1].teams[0].spending.nanodollars

            assert await world.do("grant", team="red", usd=1.5) == {"ends": ""}
            ending = replace(EVENT, ends=NOON + timedelta(hours=4))
            await world.supervisor.change_to(replace(world.supervisor.plan, event=ending))
            told = await world.do("grant", team="red", usd=0.5)
            assert told == {"ends": "2030-06-01T16:00:00Z"}
            assert limit() == 4 * 10**9
            assert await world.do("take-back", team="red", usd=0.5) == {
                "usd": 0.5,
                "tokens": 0,
                "requests": 0,
            }
            assert limit() == 35 * 10**8
            world.gateway.refusal = StartError("too long")
            assert (await world.do("take-back", team="red"))["failed"]
            world.gateway.refusal = None
            assert (await world.do("take-back", team="red"))["usd"] == 1.5
            assert limit() == 2 * 10**9
            assert world.journal == [
                ("grant", "red", "1.5 USD"),
                ("grant", "red", "0.5 USD"),
                ("take back", "red", "0.5 USD"),
                ("take back", "red", "1.5 USD"),
            ]

    story(tell)


def test_of_two_who_take_back_at_once_only_one_gets_it(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            await world.do("grant", team="red", usd=5)
            first, second = await asyncio.gather(*(world.do("take-back", team="red") for _ in range(2)))
            assert first == {"usd": 5.0, "tokens": 0, "requests": 0}
            assert (second["error"], second["failed"]) == ("red was granted nothing", False)
            assert world.journal == [("grant", "red", "5 USD"), ("take back", "red", "5 USD")]
            await world.do("grant", team="red", usd=first["usd"])
            told = await world.do("take-back", team="red", tokens=1)
            assert told["error"] == "red was granted nothing of that kind"
            assert world.supervisor.teams.grants.find("red") == Grant(nanodollars=5 * 10**9)

    story(tell)


def test_a_grant_that_the_gateway_refuses_counts_nowhere_even_on_a_full_disk(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            await soon(lambda: len(world.gateway.applied) == 2)  # at the start, and once it runs
            world.gateway.takes.clear()
            task = asyncio.create_task(world.do("grant", team="red", usd=5))
            await soon((tmp_path / GRANTS_FILE).exists)
            in_the_way = tmp_path / f".{GRANTS_FILE}.new"
            in_the_way.mkdir()
            world.gateway.refusal = StartError("it does not answer")
            world.gateway.takes.set()
            assert (await task)["error"] == "it does not answer"
            grants = world.supervisor.teams.grants
            assert grants.find("red") == NOTHING
            in_the_way.rmdir()
            world.gateway.refusal = None
            assert await world.do("message", words="Lunch") == {"before": ""}
            assert world.gateway.applied[-1].teams[0].spending == TEAM.spending
            assert Grants(tmp_path / GRANTS_FILE, NOON).find("red") == NOTHING, "it is written later"
            assert world.journal == [("message", "", "Lunch")]

    story(tell)


def test_an_end_that_is_saved_and_not_applied_is_in_the_journal(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            world.gateway.refusal = StartError("it does not answer")
            told = await world.do("extend", minutes=30)
            assert told["error"].startswith("the config says so now, but was not applied: ")
            world.gateway.refusal = None
            assert "18:30" in world.config.read_text()
            assert [(act, detail.partition("Z")[0]) for act, _, detail in world.journal] == [
                ("extend", "to 2030-06-01T16:30:00"),
                ("extend not applied", "it does not answer"),
            ]

    story(tell)


def test_a_message_replaces_the_one_before(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            assert await world.do("message", words="Lunch") == {"before": ""}
            assert await world.do("message", words="Dinner") == {"before": "Lunch"}
            assert world.gateway.applied[-1].message.words == "Dinner"
            assert await world.do("message", words="") == {"before": "Dinner"}
            assert world.gateway.applied[-1].message == SILENCE
            assert world.journal == [
                ("message", "", "Lunch"),
                ("message", "", "Dinner"),
                ("no message", "", ""),
            ]

    story(tell)


def test_what_the_gateway_refuses_is_taken_back(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            await world.do("message", words="Lunch")
            await world.do("pause", name="a", words="why")
            before = world.journal
            world.gateway.refusal = StartError("too long")
            for act, wanted in (
                ("message", {"words": "Dinner"}),
                ("pause", {"name": "a", "words": "other"}),
                ("pause", {"words": "all"}),
                ("resume", {"name": "a"}),
            ):
                told = await world.do(act, **wanted)
                assert (told["error"], told["failed"]) == ("too long", True)
            world.gateway.refusal = None
            assert world.supervisor.notices.to_json() == {"a": "why"}
            assert world.supervisor.notices.message.words == "Lunch"
            assert world.journal == before

    story(tell)


def test_what_the_gateway_may_have_taken_in_part_is_told_anew(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            await world.do("message", words="Lunch")
            await soon(lambda: len(world.gateway.applied) == 3)  # at the start, once it runs, and the message
            world.gateway.refusal = StartError("it does not answer")
            assert (await world.do("pause"))["failed"]
            world.gateway.refusal = None
            told = len(world.gateway.applied)
            await soon(lambda: len(world.gateway.applied) > told)
            assert world.gateway.applied[-1].paused == {}

    story(tell)


def test_of_two_messages_at_once_a_refused_one_takes_nothing_from_the_other(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            await world.do("message", words="Lunch")
            world.gateway.takes.clear()
            first = asyncio.create_task(world.do("message", words="Dinner"))
            second = asyncio.create_task(world.do("message", words="Coffee"))
            await asyncio.sleep(0)
            world.gateway.refusal = StartError("it does not answer")
            world.gateway.takes.set()
            assert (await first)["failed"]
            world.gateway.refusal = None
            assert await second == {"before": "Lunch"}
            assert world.supervisor.notices.message.words == "Coffee"

    story(tell)


def test_a_restart_of_what_a_reload_removes_meanwhile_is_no_success(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            reload = asyncio.create_task(world.reloader.reload(None))
            told = await asyncio.create_task(world.do("restart", name="a"))
            assert "a" in (await reload)["removed"]
            assert (told["error"], told["failed"]) == ("a was removed", True)
            assert world.journal == [("restart", "a", ""), ("restart failed", "a", "it was removed")]

    story(tell)


def test_a_door_whose_time_is_over_does_not_open(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            over = replace(EVENT, join=JoinPlan(3, TEAM, until=NOON))
            await world.supervisor.change_to(replace(world.supervisor.plan, event=over))
            assert await world.do("close-joining") == {}
            told = await world.do("open-joining")
            assert told["error"] == "joining was open until 2030-06-01T12:00:00Z"
            assert "`event.join.until`" in told["fix"]
            assert JoinBook(tmp_path).load().is_closed
            assert await world.do("new-code") == {}

    story(tell)


def test_a_config_with_an_error_keeps_its_end_and_the_error_is_named(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            world.config.write_text(edited := '{"models": [], "event": {"teams": 7}}')
            told = await world.do("extend", minutes=30)
            assert "models.json:1:" in told["error"]
            assert "[" in told["error"], "the id, for mlapi explain"
            assert (world.config.read_text(), world.journal) == (edited, [])

    story(tell)


def test_the_end_is_moved_in_the_config_and_back(tmp_path: Path) -> None:
    async def tell() -> None:
        async with serving(tmp_path) as world:
            told = await world.do("extend", minutes=30)
            assert told == {"before": "2030-06-01T18:00:00+02:00", "ends": "2030-06-01T16:30:00Z"}
            moved = '{"models": [], "event": {"ends": "2030-06-01T18:30:00+02:00"}} // ours'
            assert world.config.read_text() == moved
            assert world.supervisor.plan.event.ends == NOON + timedelta(hours=4, minutes=30)
            await world.do("extend", until=told["before"])
            assert world.config.read_text() == moved.replace("18:30", "18:00")
            assert world.journal == [
                ("extend", "", "to 2030-06-01T16:30:00Z"),
                ("extend", "", "to 2030-06-01T16:00:00Z"),
            ]

    story(tell)
