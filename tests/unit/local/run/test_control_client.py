"""What the command line asks of the process that serves, word by word."""

from __future__ import annotations

from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.local.machine.ports import bind_loopback, url_of
from centralized_ml_api.local.machine.state_folder import Run
from centralized_ml_api.local.run.control_client import ControlClient
from centralized_ml_api.local.run.listeners import listen_to_control
from support.background import start_background

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centralized_ml_api.local.status import LocalStatus
    from centralized_ml_api.local.traffic.types import Traffic
    from centralized_ml_api.organizer.journal import Actor


class Target:
    """Does everything that is asked, and notes it."""

    board_link = "http://127.0.0.1:1/#token=x"

    def __init__(self) -> None:
        self.did: list[tuple[str, Mapping[str, Any]]] = []

    async def look(self) -> LocalStatus:
        """Is not asked."""
        raise NotImplementedError

    async def until_announced(self, seconds: float) -> None:
        """Is not asked."""
        raise NotImplementedError(seconds)

    async def traffic(self) -> Traffic:
        """Is not asked."""
        raise NotImplementedError

    async def reload(self, config: str | None) -> dict[str, Any]:
        """Is not asked."""
        raise NotImplementedError(config)

    async def act(self, act: str, wanted: Mapping[str, Any], by: Actor) -> dict[str, Any]:
        """Tells when the event ends, or what was said before."""
        assert by == "command line"
        self.did.append((act, wanted))
        return {"ends": "2030-06-01T16:00:00Z"} if act == "grant" else {"before": "Lunch"}


@contextmanager
def controlled(target: Target) -> Iterator[ControlClient]:
    stack, listening = AsyncExitStack(), bind_loopback()
    with start_background() as background:
        background.run(listen_to_control(stack, target, "t0ken", listening))
        run = Run.of_this_process("c.json").reachable(url_of(listening), "t0ken")
        try:
            yield ControlClient(run, Path(".mlapi"))
        finally:
            background.run(stack.aclose())


class Asking(ControlClient):
    """Notes for how long it would wait, and asks nobody."""

    def __init__(self) -> None:
        super().__init__(Run.of_this_process("c.json"), Path(".mlapi"))
        self.patience: dict[str, float | None] = {}

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout_seconds: float | None
    ) -> dict[str, Any]:
        assert method == "POST", body
        self.patience[path.removeprefix("/acts/")] = timeout_seconds
        return {"before": "", "ends": ""}


def test_what_the_gateway_or_a_server_must_take_is_waited_for() -> None:
    client = Asking()
    client.pause("a", "why")
    client.resume("a")
    client.grant("red", {"usd": 1.5})
    client.take_back("red")
    client.say("Dinner")
    client.restart("a")
    client.reload(None)
    assert set(client.patience.values()) == {None}
    assert len(client.patience) == 7


def test_every_act_is_asked_for_by_its_name_and_answered() -> None:
    target = Target()
    with controlled(target) as client:
        client.wake("a")
        client.sleep("a")
        client.restart("a")
        client.pause("a", "why")
        client.pause(None, "")
        client.resume("a")
        client.resume(None)
        client.pause(None, "", team="red")
        client.resume(None, team="red")
        assert client.grant("red", {"usd": 1.5}) == "2030-06-01T16:00:00Z"
        client.take_back("red")
        assert client.say("Dinner") == "Lunch"
        assert client.act("extend", {"minutes": 30}) == {"before": "Lunch"}
        assert client.board_link() == Target.board_link
    assert target.did == [
        ("wake", {"name": "a"}),
        ("sleep", {"name": "a"}),
        ("restart", {"name": "a"}),
        ("pause", {"name": "a", "words": "why"}),
        ("pause", {"words": ""}),
        ("resume", {"name": "a"}),
        ("resume", {}),
        ("pause", {"team": "red", "words": ""}),
        ("resume", {"team": "red"}),
        ("grant", {"team": "red", "usd": 1.5}),
        ("take-back", {"team": "red"}),
        ("message", {"words": "Dinner"}),
        ("extend", {"minutes": 30}),
    ]
