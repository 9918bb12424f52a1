"""An event loop whose clock jumps to the next timer when nothing else is to do: hours take milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Result = TypeVar("Result")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Never waits for a timer. What really takes time (sockets, processes, threads) has no place in it."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Sets the clock forward."""
        self._now += seconds


class PatientLoop(VirtualTimeLoop):
    """Waits for the work of threads, which looks at files, as if it took no time."""

    def run_in_executor(self, _: object, func: Callable[..., object], *args: object) -> asyncio.Future[Any]:
        """Does it at once."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # whoever waits gets it
            done.set_exception(error)
        return done


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        assert timeout is not None, "every task waits for another, and no timer is set"
        self._loop.advance(timeout)
        return []


def run_in_virtual_time(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs `work` to its end on a loop of its own; returns its result."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
