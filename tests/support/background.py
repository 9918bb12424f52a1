"""An event loop in a thread: asyncio servers beside tests that call them with blocking clients."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from typing import Any

DEADLINE_SECONDS = 30.0
Result = TypeVar("Result")


class Background:
    """Runs coroutines on its loop from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Its result, once there is one."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_SECONDS)


@contextlib.contextmanager
def start_background() -> Iterator[Background]:
    """A loop that runs until the end of the block."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield Background(loop)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
