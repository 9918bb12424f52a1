"""Acts of an organizer that the gateway refuses, or that meet another change: nothing is left half done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.run.grants import GRANTS_FILE, Grants
from centralized_ml_api.organizer.grant import NOTHING, Grant
from support.acting import TEAM, serving
from support.fake_target import NOON, soon
from support.story import story

if TYPE_CHECKING:
    from pathlib import Path


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
