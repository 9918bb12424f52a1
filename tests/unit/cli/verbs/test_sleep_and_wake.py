"""`mlapi wake` and `mlapi sleep`: what they ask of the process that serves, and what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from centralized_ml_api.cli.verbs.wake import await_awake
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.status import EntryState, EntryStatus, LocalStatus, SleepStatus
from support.control import SilentTarget, serve_control
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHAT = EntryStatus("chat", "/chat", "ready", "", "command", "api", ())
STATUS = LocalStatus(7, "models.json", ".mlapi", 0.0, "http://127.0.0.1:1", "", "", (CHAT,), ())


@pytest.fixture
def target(tmp_path: Path) -> Iterator[SilentTarget]:
    silent = SilentTarget(STATUS)
    with serve_control(silent, tmp_path / ".mlapi"):
        yield silent


def test_wake_says_when_the_model_is_ready(target: SilentTarget, tmp_path: Path) -> None:
    ran = mlapi("wake", "chat", cwd=tmp_path)
    assert (ran.status, ran.out, target.ordered) == (0, "chat is ready.\n", ["wake chat"])
    assert ran.talk == "Next: mlapi call chat\n"


def test_wake_says_why_the_model_did_not_wake(target: SilentTarget, tmp_path: Path) -> None:
    target.current = replace(STATUS, entries=(replace(CHAT, state="failed", detail="no memory"),))
    ran = mlapi("wake", "chat", cwd=tmp_path)
    assert ran.status == 1
    assert "chat did not wake: no memory" in ran.talk
    assert "mlapi logs chat" in ran.talk


@pytest.mark.parametrize("verb", ["wake", "sleep"])
def test_what_cannot_be_is_said_with_its_fix(verb: str, target: SilentTarget, tmp_path: Path) -> None:
    target.refusal = {"error": "chat never sleeps", "fix": "give it idle"}
    ran = mlapi(verb, "chat", cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert "chat never sleeps" in ran.talk
    assert "give it idle" in ran.talk


def test_sleep_says_what_happens_next(target: SilentTarget, tmp_path: Path) -> None:
    ran = mlapi("sleep", "chat", cwd=tmp_path)
    assert (ran.status, target.ordered) == (0, ["sleep chat"])
    assert ran.out == "chat sleeps once its calls are over; the next call wakes it.\n"
    assert ran.talk == "Next: mlapi status\n"


class Client:
    """Answers with one state after the other; `dropped` is one that sleeps and that nobody wants."""

    def __init__(self, *states: EntryState | Literal["dropped"] | None) -> None:
        self.states = list(states)
        self.waits: list[float] = []

    def status(self) -> LocalStatus:
        state = self.states.pop(0)
        if state is None:
            return replace(STATUS, entries=())
        sleep = SleepStatus(0, 0.0, None, wanted=state != "dropped")
        chat = replace(CHAT, state="asleep" if state == "dropped" else state, sleep=sleep)
        return replace(STATUS, entries=(chat,))


def test_it_waits_until_the_model_is_ready_or_failed(capsys: pytest.CaptureFixture[str]) -> None:
    client = Client("asleep", "waking", "waking", "ready", "failed")
    assert await_awake(client, "chat", client.waits.append).state == "ready"
    assert len(client.waits) == 3
    assert capsys.readouterr().err == "chat: asleep\nchat: waking\n"
    assert await_awake(client, "chat", client.waits.append).state == "failed"


@pytest.mark.parametrize("before", [("asleep", "waking"), ("asleep", "asleep")], ids=["waking", "in line"])
def test_an_entry_that_is_put_to_sleep_before_it_is_ready_is_said(before: tuple[EntryState, ...]) -> None:
    client = Client(*before, "dropped", "ready")
    with pytest.raises(StartError) as refused:
        await_awake(client, "chat", client.waits.append)
    assert refused.value.message == "chat was put to sleep before it was ready"
    assert refused.value.exit_status == 1
    assert len(client.waits) == 2


def test_an_entry_that_is_put_to_sleep_and_called_again_goes_on_waking() -> None:
    client = Client("waking", "asleep", "waking", "ready")
    assert await_awake(client, "chat", client.waits.append).state == "ready"


def test_an_entry_that_was_removed_meanwhile_is_said() -> None:
    with pytest.raises(StartError, match="chat was removed"):
        await_awake(Client(None), "chat")
