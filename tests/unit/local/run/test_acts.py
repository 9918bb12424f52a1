"""What an organizer can do while the target serves: what happens, what is refused, what is noted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.notices import SILENCE
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys import JoinBook, KeyStore, LocalKeys
from centralized_ml_api.plan.event import EventPlan, JoinPlan
from support.acting import EVENT, TEAM, serving
from support.fake_target import NOON
from support.story import story

if TYPE_CHECKING:
    from pathlib import Path


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
