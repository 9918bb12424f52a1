"""How many workers there are, who gets one, and what callers hear when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.lambda_host.pool import LoadError, Pool
from centralized_ml_api.local.lambda_host.runtime_api import Failed, Invocation, Outcome
from support.fake_worker import DONE, FakeWorker, settled
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from centralized_ml_api.local.lambda_host.server import HostSpecification
    from centralized_ml_api.local.lambda_host.worker import Worker

Specify = Callable[..., "HostSpecification"]


class Scene:
    """A pool of fake workers."""

    def __init__(self, specification: HostSpecification) -> None:
        self.workers: list[FakeWorker] = []
        self.pool = Pool(specification, self._make)

    def _make(self, specification: HostSpecification, freed: Callable[[Worker], None]) -> Worker:
        self.workers.append(FakeWorker(specification, freed))
        return self.workers[-1]

    async def warm_up(self) -> FakeWorker:
        """Loads the first worker."""
        warming = asyncio.create_task(self.pool.warm_up())
        await settled()
        self.workers[0].load()
        await warming
        return self.workers[0]

    async def call(self, name: str = "r") -> asyncio.Task[Outcome]:
        """Begins a call."""
        task = asyncio.create_task(self.pool.invoke(Invocation(name, b"{}")))
        await settled()
        return task


def play(specification: HostSpecification, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        scene = Scene(specification)
        await scenario(scene)
        await scene.pool.stop(grace_seconds=0)
        await settled()

    asyncio.run(main())


def test_a_function_that_does_not_load_says_why(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        warming = asyncio.create_task(scene.pool.warm_up())
        await settled()
        scene.workers[0].end.set_result(Failed(502, "no such module"))
        with pytest.raises(LoadError) as error:
            await warming
        assert error.value.failed == Failed(502, "no such module")
        assert len(scene.workers) == 1, "nobody waits for another"

    play(specify(), scenario)


def test_a_worker_that_cannot_be_started_is_the_reason_of_a_502(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        call = await scene.call()
        scene.workers[0].end.set_exception(OSError("no more processes"))
        assert await call == Failed(502, "the function's process could not be started: no more processes")

    play(specify(), scenario)


def test_calls_at_once_get_a_worker_each_up_to_the_limit_and_then_queue_in_order(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        first = await scene.warm_up()
        calls = [await scene.call(str(number)) for number in range(4)]
        assert len(scene.workers) == 2
        second = scene.workers[1]
        second.load()
        await settled()
        assert [worker.calls[0].request_id for worker in (first, second)] == ["0", "1"]
        second.answer()
        await settled()
        assert second.calls[-1].request_id == "2"
        first.answer()
        await settled()
        assert first.calls[-1].request_id == "3"
        second.answer()
        first.answer()
        assert await asyncio.gather(*calls) == [DONE] * 4
        assert len(scene.workers) == 2

    play(specify(max_workers=2), scenario)


def test_a_free_worker_is_used_before_another_is_started(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        worker = await scene.warm_up()
        for _ in range(3):
            call = await scene.call()
            worker.answer()
            assert await call == DONE
        assert len(scene.workers) == 1

    play(specify(), scenario)


def test_idle_workers_are_ended_but_for_one(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        first = await scene.warm_up()
        calls = [await scene.call(), await scene.call()]
        scene.workers[1].load()
        await settled()
        first.answer()
        scene.workers[1].answer()
        await asyncio.gather(*calls)
        await until(lambda: first.ended, "the one that has been idle for longer is ended")
        await settled()
        assert not scene.workers[1].ended
        await scene.call()
        assert len(scene.workers[1].calls) == 2

    play(specify(idle_seconds=0.001), scenario)


def test_of_idle_workers_the_one_used_last_is_taken(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        first = await scene.warm_up()
        calls = [await scene.call(), await scene.call()]
        scene.workers[1].load()
        await settled()
        scene.workers[1].answer()
        first.answer()
        await asyncio.gather(*calls)
        await scene.call("again")
        assert first.calls[-1].request_id == "again"

    play(specify(), scenario)


def test_the_last_worker_is_replaced_when_it_ends_in_a_call_but_not_when_idle(
    specify: Specify,
) -> None:
    async def scenario(scene: Scene) -> None:
        first = await scene.warm_up()
        await scene.call()
        first.calls[-1].settle(Failed(502, "it ended"))
        first.end.set_result(None)
        await settled()
        assert len(scene.workers) == 2
        scene.workers[1].load()
        await settled()
        scene.workers[1].end.set_result(None)
        await settled()
        assert len(scene.workers) == 2
        await scene.call()
        assert len(scene.workers) == 3, "the next call starts another"

    play(specify(), scenario)


def test_who_queues_gets_a_new_worker_when_the_only_one_ends_in_a_call(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        worker = await scene.warm_up()
        running, waiting = await scene.call("running"), await scene.call("waiting")
        worker.calls[-1].settle(Failed(502, "it crashed"))
        worker.end.set_result(None)
        await settled()
        assert len(scene.workers) == 2
        scene.workers[1].load()
        await settled()
        scene.workers[1].answer()
        assert (await running, await waiting) == (Failed(502, "it crashed"), DONE)

    play(specify(max_workers=1), scenario)


def test_a_caller_that_leaves_passes_its_worker_on(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        worker = await scene.warm_up()
        running, leaving, staying = [await scene.call(name) for name in ("running", "leaving", "staying")]
        worker.answer()
        leaving.cancel()
        await settled()
        assert leaving.cancelled()
        assert [call.request_id for call in worker.calls] == ["running", "staying"]
        worker.answer()
        assert (await running, await staying) == (DONE, DONE)

    play(specify(max_workers=1), scenario)


def test_a_call_whose_caller_leaves_runs_on(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        worker = await scene.warm_up()
        leaving = await scene.call()
        leaving.cancel()
        await settled()
        assert not worker.calls[0].outcome.done()
        await scene.call("next")
        assert len(worker.calls) == 1, "the worker is still busy"

    play(specify(max_workers=1), scenario)


def test_stopping_refuses_those_that_queue_and_lets_a_running_call_finish(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        worker = await scene.warm_up()
        running, queued = await scene.call(), await scene.call()
        stopping = asyncio.create_task(scene.pool.stop(grace_seconds=30))
        assert await queued == Failed(503, "the function is stopping")
        assert not worker.ended
        worker.answer()
        assert await running == DONE
        await stopping
        assert worker.ended

    play(specify(max_workers=1), scenario)


def test_stopping_ends_a_call_that_takes_too_long(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        worker = await scene.warm_up()
        await scene.call()
        await scene.pool.stop(grace_seconds=0)
        assert worker.ended
        assert len(scene.workers) == 1, "it is not replaced"
        worker.calls[0].settle(DONE)

    play(specify(max_workers=1), scenario)


def test_a_worker_whose_process_is_gone_gets_no_call_even_before_it_is_forgotten(specify: Specify) -> None:
    async def scenario(scene: Scene) -> None:
        first = await scene.warm_up()
        first.process_ended = True
        call = await scene.call()
        assert first.calls == []
        first.end.set_result(None)
        await settled()
        assert len(scene.workers) == 2, "one is started for the call, and no other"
        scene.workers[1].load()
        await settled()
        scene.workers[1].answer()
        assert await call == DONE

    play(specify(), scenario)


def test_stopping_waits_until_every_worker_has_ended(specify: Specify) -> None:
    ended: list[Worker] = []

    class Slow(FakeWorker):
        async def live(self) -> Failed | None:
            try:
                return await super().live()
            finally:
                await settled()
                ended.append(self)

    async def main() -> None:
        pool = Pool(specify(), Slow)
        call = asyncio.create_task(pool.invoke(Invocation("r", b"{}")))
        await settled()
        await pool.stop(grace_seconds=0)
        assert len(ended) == 1
        assert await call == Failed(503, "the function is stopping")

    asyncio.run(main())
