"""`mlapi status`: one line for each path, and a status that a script can act on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from centralized_ml_api.cli.verbs.status import is_well, render_status
from centralized_ml_api.local.status import (
    EntryState,
    EntryStatus,
    JobCounts,
    LocalStatus,
    PartStatus,
    SleepStatus,
    Unapplied,
)

NOW = 1_893_492_000.0  # 2030-01-01T10:00:00Z
URL = "http://127.0.0.1:8080"
STATUS = LocalStatus(7, "models.json", ".mlapi", NOW - 600, URL, "", "http://127.0.0.1:9", (), ())


def entry(state: EntryState, detail: str = "", restarts: int = 0) -> EntryStatus:
    part = PartStatus("chat", state, "", 2, 3, restarts, (), ())
    return EntryStatus("chat", "/chat", state, detail, "llama.cpp", "api", (part,))


def test_the_address_comes_first_then_a_line_for_each_path() -> None:
    status = replace(STATUS, entries=(entry("ready"), entry("unready", "busy", restarts=1)))
    assert render_status(status, NOW).splitlines() == [
        f"Serving models.json on {URL} for 10 min (pid 7)",
        "SageMaker runtime: http://127.0.0.1:9",
        "  /chat                    ready        chat 2/3",
        "  /chat                    unready      chat 2/3  1 restart  busy",
    ]


@pytest.mark.parametrize(
    ("seconds", "lasted"), [(0, "0 s"), (42, "42 s"), (7_500, "2 h 5 min"), (200_000, "2 days 7 h")]
)
def test_how_long_it_has_served_is_said_in_its_largest_units(seconds: float, lasted: str) -> None:
    first_line = render_status(STATUS, STATUS.started + seconds).splitlines()[0]
    assert first_line == f"Serving models.json on {URL} for {lasted} (pid 7)"


def test_a_restart_says_why() -> None:
    part = PartStatus(
        "chat", "ready", "", 1, 1, 2, (), (), hangs=1, last_restart="does not answer: restarted"
    )
    status = replace(STATUS, entries=(replace(entry("ready"), parts=(part,)),))
    last_line = (
        "  /chat                    ready        chat 1/1  2 restarts, last: does not answer: restarted"
    )
    assert render_status(status, NOW).splitlines()[-1] == last_line


def test_what_only_some_have_is_said_where_it_is() -> None:
    status = replace(
        STATUS,
        address="",
        gateway_trouble="restarting",
        starts="2030-01-01T11:00:00Z",
        ends="2030-01-01T12:30:00Z",
        metrics="http://127.0.0.1:7",
        notes=("careful",),
    )
    assert render_status(status, NOW).splitlines() == [
        "Serving models.json on (starting) for 10 min (pid 7)",
        "Starts in 1 h, at 2030-01-01T11:00:00Z; until then keys are refused",
        "Ends in 2 h 30 min, at 2030-01-01T12:30:00Z",
        "gateway: restarting",
        "SageMaker runtime: http://127.0.0.1:9",
        "Metrics for Prometheus: http://127.0.0.1:7",
        "note: careful",
    ]


def test_calls_that_are_answered_later_are_counted_while_there_are_some() -> None:
    status = replace(STATUS, jobs=JobCounts(waiting=1, running=2))
    assert "Answered later: 1 job waiting, 2 under way" in render_status(status, NOW).splitlines()
    assert "Answered later" not in render_status(STATUS, NOW)
    assert LocalStatus.from_json(json.loads(json.dumps(status.to_json()))) == status


def test_what_is_saved_and_not_served_is_said_and_all_is_not_well() -> None:
    status = replace(STATUS, unapplied=Unapplied(NOW - 60, "models.json:3:5: unknown key [C010]"))
    assert render_status(status, NOW).splitlines()[1] == (
        "What is saved could not be applied, since 2030-01-01 09:59:00Z: models.json:3:5: unknown key [C010]."
        " What was saved before goes on."
    )
    assert not is_well(status)
    assert LocalStatus.from_json(status.to_json()) == status


@pytest.mark.parametrize(
    ("states", "trouble", "well"),
    [
        (["ready", "not served"], "", True),
        (["ready", "asleep", "waking"], "", True),
        (["ready", "starting"], "", False),
        (["ready", "failed"], "", False),
        (["ready"], "restarting", False),
    ],
)
def test_all_is_well_when_everything_that_is_served_is_ready(
    states: list[EntryState], trouble: str, *, well: bool
) -> None:
    entries = tuple(entry(state) for state in states)
    assert is_well(replace(STATUS, entries=entries, gateway_trouble=trouble)) is well


@pytest.mark.parametrize(
    ("state", "sleep", "line"),
    [
        ("asleep", SleepStatus(0, 0.4, None), "asleep       chat 1/1"),
        (
            "asleep",
            SleepStatus(1, 90.0, 2.1),
            "asleep       chat 1/1  answers in about 3 s  woke 1 time  slept for 1 min",
        ),
        ("waking", SleepStatus(2, 0.0, 4.0), "waking       chat 1/1  answers in about 4 s  woke 2 times"),
        ("ready", SleepStatus(3, 7200.0, 0.0), "ready        chat 1/1  woke 3 times  slept for 2 h"),
    ],
)
def test_an_entry_that_may_sleep_says_how_it_has_slept(
    state: EntryState, sleep: SleepStatus, line: str
) -> None:
    chat = replace(entry(state), sleep=sleep)
    status = replace(
        STATUS, entries=(replace(chat, parts=(PartStatus("chat", "ready", "", 1, 1, 0, (1,), ()),)),)
    )
    assert render_status(status, NOW).splitlines()[-1] == f"  {chat.path:24} {line}"
    assert LocalStatus.from_json(status.to_json()) == status
