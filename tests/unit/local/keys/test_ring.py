"""What the serving process notices of the file of keys, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.local.keys import KeyRing, KeyStore, LocalKeys
from centralized_ml_api.local.machine.clock import Clock
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

HOUR = timedelta(hours=1)


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2030, 6, 1, 12, tzinfo=UTC)
        self.looks = 0

    def now(self) -> datetime:
        return self.at

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self._rest)

    async def _rest(self, seconds: float) -> None:
        del seconds
        self.looks += 1
        await asyncio.sleep(0.001)


def test_teams_that_a_config_has_no_more_are_not_listed_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        store = KeyStore(tmp_path)
        await KeyRing(store, Hand().clock).use(["red"])
        assert await KeyRing(store, Hand().clock).use([]) == {}
        assert [team.state for team in LocalKeys(store).teams()] == ["not listed"]

    asyncio.run(story())


def test_changes_are_noticed_and_a_former_key_leaves_at_its_instant(tmp_path: Path) -> None:
    async def story() -> None:
        hand, store, told = Hand(), KeyStore(tmp_path), []
        keys = LocalKeys(store, hand.now)
        ring = KeyRing(store, hand.clock)
        first = (await ring.use(["red"]))["red"]
        running = asyncio.create_task(ring.run(lambda: told.append(1)))
        keys.rotate("red", HOUR)
        await until(lambda: len(ring.valid()["red"]) == 2, "both keys are valid")
        await until(lambda: told == [1], "it was told")
        assert ring.valid()["red"] == (keys.show("red"), *first)
        hand.at += HOUR
        await until(lambda: told == [1, 1], "it was told that one is over")
        assert ring.valid()["red"] == (keys.show("red"),)
        keys.revoke("red")
        await until(lambda: len(told) == 3, "it was told of the revocation")
        assert ring.valid() == {"red": ()}
        running.cancel()

    asyncio.run(story())


def test_a_deleted_file_comes_back_as_it_was(tmp_path: Path) -> None:
    async def story() -> None:
        hand, store = Hand(), KeyStore(tmp_path)
        ring = KeyRing(store, hand.clock)
        valid = await ring.use(["red"])
        running = asyncio.create_task(ring.run(lambda: None))
        store.path.unlink()
        await until(store.path.exists, "it is there again")
        assert ring.valid() == valid
        assert LocalKeys(store).show("red") == valid["red"][0]
        running.cancel()

    asyncio.run(story())


def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        hand, store = Hand(), KeyStore(tmp_path)
        ring = KeyRing(store, hand.clock)
        valid = await ring.use(["red"])
        whole = store.path.read_bytes()
        told: list[str] = []
        running = asyncio.create_task(ring.run(lambda: told.append(str(ring.trouble))))
        store.path.write_text("{")
        await until(lambda: told, "it said that the file is broken")
        assert ring.valid() == valid
        assert f"the keys in {store.path} cannot be used" in told[0]
        store.path.write_bytes(whole)
        await until(lambda: told[1:] == ["None"], "it said that the file is whole again")
        LocalKeys(store, hand.now).rotate("red", HOUR)
        await until(lambda: len(ring.valid()["red"]) == 2, "the next good file counts")
        running.cancel()

    asyncio.run(story())


def test_without_teams_there_is_no_file(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    assert asyncio.run(KeyRing(store, Hand().clock).use([])) == {}
    assert not store.path.exists()


def test_teams_that_leave_the_config_lose_access_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        ring = KeyRing(KeyStore(tmp_path), Hand().clock)
        before = await ring.use(["red", "blue"])
        assert await ring.use(["blue"]) == {"blue": before["blue"]}
        assert await ring.use([]) == {}
        assert await ring.use(["blue", "red"]) == before

    asyncio.run(story())


def test_the_keys_of_all_teams_are_listed_once_until_they_change(tmp_path: Path) -> None:
    async def story() -> None:
        hand, store = Hand(), KeyStore(tmp_path)
        keys, ring = LocalKeys(store, hand.now), KeyRing(store, hand.clock)
        valid = await ring.use(["red", "blue"])
        hand.at += HOUR
        assert ring.valid() is valid, "asking again costs nothing, however many teams there are"
        running = asyncio.create_task(ring.run(lambda: None))
        keys.rotate("red", HOUR)
        await until(lambda: ring.valid() is not valid, "they are others")
        both = ring.valid()
        hand.at += HOUR / 2
        assert ring.valid() is both
        hand.at += HOUR / 2
        assert ring.valid() == {"red": both["red"][:1], "blue": valid["blue"]}, "the former key is over"
        hand.at -= HOUR / 4
        assert ring.valid() == both, "and valid again by a clock that was set back"
        running.cancel()

    asyncio.run(story())
