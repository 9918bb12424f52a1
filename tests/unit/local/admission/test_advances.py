"""Most calls wait for no disk, and a crash costs little: less than a hundredth of what was left."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.admission.account_book import Batch, load_used
from centralized_ml_api.local.admission.accountant import Accountant, ShortageError
from centralized_ml_api.local.admission.accounts import Limit, open_account
from centralized_ml_api.local.admission.advances import SHARE
from centralized_ml_api.local.admission.turns import CallOverError
from support.advanced_spending import EVENT, MINUTE, MOST, NEED, NOON, Watched, World, ask, ended, name, tell
from support.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


def test_after_a_first_call_others_wait_for_no_disk(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert not world.accountant.reserve_at_once(name(0), ask())
        await world.accountant.reserve(name(0), ask())
        for number in range(1, 30):
            assert world.accountant.reserve_at_once(name(number), ask())
            world.accountant.end(name(number), ended(9))
        assert len(world.book.written) == 1
        assert world.accountant.left((EVENT,)) == {EVENT: MOST - NEED - 29 * 9}, "an advance is not used"

    tell(tmp_path, story)


def test_more_than_the_advance_waits_for_the_disk(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        advance = (MOST - NEED) // SHARE
        taken = 0
        while world.accountant.reserve_at_once(name(taken + 1), ask()):
            taken += 1
        assert taken == advance // NEED
        await world.accountant.reserve(name(99), ask())
        assert world.accountant.reserve_at_once(name(100), ask()), "there is a new one"

    tell(tmp_path, story)


def test_every_limit_must_have_enough(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask(NEED, EVENT))
        assert not world.accountant.reserve_at_once(name(1), ask(NEED, EVENT, MINUTE))
        await world.accountant.reserve(name(1), ask(NEED, EVENT, MINUTE))
        for number in range(2, 9):
            assert world.accountant.reserve_at_once(name(number), ask(NEED, EVENT, MINUTE))
            world.accountant.end(name(number), ended(0))

    tell(tmp_path, story)


@pytest.mark.parametrize(("need", "has_advance"), [(MOST // SHARE - 1, True), (MOST // SHARE + 1, False)])
def test_who_has_too_little_left_has_no_advance(tmp_path: Path, need: int, has_advance: bool) -> None:  # noqa: FBT001
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask(need))
        assert bool(sum(world.book.written[0].advances.values())) is has_advance

    tell(tmp_path, story)


def test_a_crash_costs_the_advance_and_less_than_a_hundredth_of_what_was_left(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        for number in range(1, 5):
            assert world.accountant.reserve_at_once(name(number), ask())
        lost = MOST - NEED - world.left_after_a_crash()
        assert lost == (MOST - NEED) // SHARE < MOST / 100
        assert load_used(tmp_path / "a.db") == {open_account(EVENT, NOON): NEED}, "as far as anybody is told"
        await world.accountant.settle()
        assert load_used(tmp_path / "a.db") == {open_account(EVENT, NOON): 5 * NEED}

    tell(tmp_path, story)


def test_what_a_process_before_had_in_advance_is_used(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        left = world.left_after_a_crash()
        after = World(tmp_path)
        assert after.accountant.left((EVENT,)) == {EVENT: left}
        assert not after.accountant.reserve_at_once(name(0, "b"), ask()), "nothing of it may be taken"
        await after.accountant.reserve(name(0, "b"), ask())
        advance = (left - NEED) // SHARE
        assert after.left_after_a_crash() == left - NEED - advance
        await after.accountant.close()
        assert after.left_after_a_crash() == left - NEED

    tell(tmp_path, story)


def test_a_process_that_outlives_its_supervisor_takes_nothing_from_the_next(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        after = World(tmp_path)
        await after.accountant.reserve(name(0, "b"), ask())
        left = after.left_after_a_crash()
        assert world.accountant.reserve_at_once(name(1), ask())
        await world.accountant.close()
        assert after.left_after_a_crash() <= left, "its own advance is still on the disk"
        await after.accountant.close()

    tell(tmp_path, story)


def test_a_call_under_way_at_a_crash_gives_back_what_it_did_not_use(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for number in range(2):
            await world.accountant.reserve(name(number), ask())
        await world.accountant.settle()
        left = world.left_after_a_crash()
        after = World(tmp_path)
        after.accountant.start()
        for number in range(2):
            after.accountant.end(name(number), ended(30))
        assert after.accountant.left((EVENT,)) == {EVENT: left + 2 * (NEED - 30)}
        await after.accountant.close()

    tell(tmp_path, story)


def test_an_end_that_is_told_twice_gives_nothing_back_twice(tmp_path: Path) -> None:
    """What the first word of it has freed may have been used by a call of which the disk has not heard."""

    async def story(world: World) -> None:
        need = 900
        await world.accountant.reserve(name(0), ask(need))
        world.accountant.end(name(0), ended(0))
        assert world.accountant.reserve_at_once(name(1), ask(need))
        assert not world.accountant.reserve_at_once(name(2), ask(need)), "that came from the advance"
        after = World(tmp_path)
        after.accountant.start()
        after.accountant.end(name(0), ended(0))
        assert after.accountant.left((EVENT,))[EVENT] <= MOST - need
        await after.accountant.close()

    tell(tmp_path, story)


def test_a_reservation_that_was_written_later_is_not_given_back_to_the_advance(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        need = 900
        await world.accountant.reserve(name(0), ask(need))
        assert world.accountant.reserve_at_once(name(1), ask(need))
        await world.accountant.settle()
        world.accountant.end(name(1), ended(0))
        assert world.accountant.reserve_at_once(name(2), ask(need))
        assert not world.accountant.reserve_at_once(name(3), ask(need)), "its end may be told once more"
        after = World(tmp_path)
        after.accountant.start()
        after.accountant.end(name(1), ended(0))
        assert after.accountant.left((EVENT,))[EVENT] <= MOST - 2 * need
        await after.accountant.close()

    tell(tmp_path, story)


def test_what_a_call_uses_beyond_its_reservation_is_taken_off_the_advance(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        assert world.accountant.reserve_at_once(name(1), ask())
        world.accountant.end(name(1), ended(6 * NEED))
        taken = 0
        while world.accountant.reserve_at_once(name(2 + taken), ask()):
            taken += 1
        assert taken == (MOST - NEED) // SHARE // NEED - 6
        assert world.left_after_a_crash() <= MOST - (1 + 6 + taken) * NEED

    tell(tmp_path, story)


def test_what_is_taken_of_an_advance_is_written_a_moment_later_though_nobody_waits(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        assert world.accountant.reserve_at_once(name(1), ask())
        await until(lambda: len(world.book.written) == 2, "it is written")
        assert load_used(tmp_path / "a.db") == {open_account(EVENT, NOON): 2 * NEED}

    tell(tmp_path, story)


def test_each_write_fills_an_advance_that_need_not_be_noted_anew(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        need = 20
        await world.accountant.reserve(name(0), ask(need))
        assert world.accountant.reserve_at_once(name(1), ask(need))
        await world.accountant.settle()
        assert world.book.written[-1].advances == {}
        advance, taken = (MOST - need) // SHARE, 0
        while world.accountant.reserve_at_once(name(2 + taken), ask(need)):
            taken += 1
        assert taken == advance // need

    tell(tmp_path, story)


def test_an_advance_follows_a_limit_that_is_lowered(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        lower = Limit(EVENT.owner, EVENT.unit, EVENT.period, MOST // 2)
        assert world.accountant.reserve_at_once(name(1), ask(NEED, lower))
        await world.accountant.settle()
        assert [*world.book.written[-1].advances.values()] == [(MOST // 2 - 2 * NEED) // SHARE]

    tell(tmp_path, story)


def test_while_a_smaller_advance_is_being_written_nobody_takes_more_than_that(tmp_path: Path) -> None:
    """It may be on the disk already, though nobody knows."""

    async def main() -> None:
        is_written, may_return = threading.Event(), threading.Event()
        seconds = itertools.count()

        class Slow(Watched):
            def write(self, batch: Batch) -> None:
                super().write(batch)
                if len(self.written) == 2:
                    is_written.set()
                    assert may_return.wait(30)

        accountant = Accountant(
            Slow(tmp_path / "a.db"), lambda: NOON, elapsed=lambda: next(seconds), advance_kept_seconds=1000
        )
        await accountant.reserve(name(0), ask())
        large = asyncio.create_task(accountant.reserve(name(1), ask(MOST // 2)))
        assert await asyncio.to_thread(is_written.wait, 30)
        assert not accountant.reserve_at_once(name(2), ask()), "of which there is none beside a large call"
        may_return.set()
        await large
        await accountant.close()

    asyncio.run(main())


def test_an_advance_ends_a_while_after_the_last_call(tmp_path: Path) -> None:
    async def main() -> None:
        loop, is_given_up = asyncio.get_running_loop(), asyncio.Event()
        world = World(tmp_path, advance_kept_seconds=0.01)

        class Watching(Watched):
            def write(self, batch: Batch) -> None:
                super().write(batch)
                if 0 in batch.advances.values():
                    loop.call_soon_threadsafe(is_given_up.set)

        world.book = Watching(tmp_path / "a.db")
        world.accountant = Accountant(
            world.book, lambda: NOON, elapsed=lambda: world.seconds, advance_kept_seconds=0.01
        )
        await world.accountant.reserve(name(0), ask())
        assert world.left_after_a_crash() < MOST - NEED
        world.seconds = 1.0
        async with asyncio.timeout(30):
            await is_given_up.wait()
        assert world.left_after_a_crash() == MOST - NEED
        assert not world.accountant.reserve_at_once(name(1), ask())
        await world.accountant.close()

    asyncio.run(main())


def test_who_calls_while_the_service_ends_leaves_no_advance_on_the_disk(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        ending = asyncio.create_task(world.accountant.close())
        await asyncio.sleep(0)
        assert world.accountant.reserve_at_once(name(1), ask()), "Envoy still asks"
        await ending
        assert world.left_after_a_crash() == MOST - 2 * NEED

    tell(tmp_path, story)


def test_a_call_that_is_over_or_does_not_fit_takes_nothing(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.accountant.reserve(name(0), ask())
        world.accountant.end(name(1), ended(0))
        with pytest.raises(CallOverError):
            world.accountant.reserve_at_once(name(1), ask())
        with pytest.raises(ShortageError):
            world.accountant.reserve_at_once(name(2), ask(MOST))
        assert world.accountant.left((EVENT,)) == {EVENT: MOST - NEED}
        for number in range(3, 3 + (MOST - NEED) // SHARE // NEED):
            assert world.accountant.reserve_at_once(name(number), ask()), "all of the advance is there"

    tell(tmp_path, story)
