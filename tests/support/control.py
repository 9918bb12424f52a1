"""A local target that only answers how it is: its control API is the real one, nothing is behind it."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.machine.listen import serve_application
from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.local.machine.state_folder import Run, StateFolder
from centralized_ml_api.local.run.change import Reloaded
from centralized_ml_api.local.run.control import build_control_application
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.local.traffic.types import Traffic
from support.background import start_background

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from centralized_ml_api.organizer.journal import Actor

TOKEN = "t0ken"  # noqa: S105  # nobody's


@dataclass
class SilentTarget:
    """Answers with what it is given; `told` are the configs that it was asked to reload, None for its own.

    `ordered` says what was to be done, such as `wake chat`.
    """

    current: LocalStatus
    changes: dict[str, Any] = field(default_factory=lambda: asdict(Reloaded()))
    told: list[str | None] = field(default_factory=list)
    ordered: list[str] = field(default_factory=list)
    refusal: dict[str, Any] = field(default_factory=dict)
    board_link: str = "http://127.0.0.1:1/#token=t0ken"

    async def until_announced(self, seconds: float) -> None:
        """Waits for nothing: it is how it is."""

    async def look(self) -> LocalStatus:
        return self.current

    async def traffic(self) -> Traffic:
        return Traffic(1.0, None)

    async def reload(self, config: str | None) -> dict[str, Any]:
        self.told.append(config)
        return self.changes

    async def act(self, act: str, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        assert by == "command line"
        self.ordered.append(" ".join([act, *map(str, wanted.values())]))
        return self.refusal or {"before": "", "ends": ""}  # what was said before, and when the event ends


@contextlib.contextmanager
def serve_control(target: SilentTarget, folder: Path) -> Iterator[None]:
    """The target runs with the state folder until the end of the block."""
    listening, stack = bind_loopback(), contextlib.AsyncExitStack()
    with StateFolder(folder) as state, start_background() as background:
        application = build_control_application(target, TOKEN)
        background.run(serve_application(stack, application, listening, cancels=True))
        try:
            run = Run.of_this_process(target.current.config)
            state.write_run(run.reachable(url_of(listening), TOKEN))
            yield
        finally:
            background.run(stack.aclose())
