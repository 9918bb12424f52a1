"""Each hostile call once, beside a team that calls as usual; for minutes: `make bench BENCH=hostile`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from bench.faults.hostile.call import BAD, BUSY, GONE, HostileCall, Outcome, find_fault
from bench.faults.hostile.run import HOSTILE_CALLS, SHORT_SECONDS, attack_once, find_held
from bench.faults.hostile.served import ENTRIES

if TYPE_CHECKING:
    from pathlib import Path

PAUSE_SECONDS = 0.25


@pytest.mark.slow
def test_no_hostile_call_costs_another_team_a_call(tmp_path: Path) -> None:
    told: list[str] = []
    attacked = attack_once(tmp_path / "api", PAUSE_SECONDS, told.append)
    met = "\n".join(told)
    assert attacked.beside.lost == [], met
    assert all(attacked.beside.of(entry).calls for entry in ENTRIES), "the good team called everything"
    assert attacked.faults == [], met
    sent = [call.name for call in HOSTILE_CALLS if call.lasts_seconds <= SHORT_SECONDS]
    assert sorted(attacked.reports) == sorted(sent)
    assert attacked.restarted == [], met
    assert attacked.tracebacks == []
    assert find_held(*attacked.samples) == []
    assert (attacked.under_way, attacked.orphans, attacked.left) == (0, 0, [])


def test_each_hostile_call_has_a_name_of_its_own_and_says_what_it_tries() -> None:
    assert [name for name, count in Counter(call.name for call in HOSTILE_CALLS).items() if count > 1] == []
    assert [call.name for call in HOSTILE_CALLS if not (call.tries and call.right)] == []


@pytest.mark.slow
def test_a_body_is_the_same_every_time() -> None:
    posted = [call for call in HOSTILE_CALLS if call.beginning is None]
    assert [call.name for call in posted if call.build_body() != call.build_body()] == []


@pytest.mark.parametrize(
    ("outcome", "alone", "fault"),
    [
        (Outcome(BAD), True, ""),
        (Outcome(500, b"why"), True, "500 instead of [400]: b'why'"),
        (Outcome(GONE), True, "-1 instead of [400]: b''"),
        (Outcome(BUSY, retry_after="2"), False, ""),
        (Outcome(BUSY, retry_after="2"), True, "503 instead of [400]: b''"),
        (Outcome(BUSY), False, "503 instead of [400]: b''"),
    ],
)
def test_an_outcome_is_right_or_said_to_be_wrong(outcome: Outcome, alone: bool, fault: str) -> None:  # noqa: FBT001  # a row of the table
    assert find_fault(HostileCall("a", "b"), outcome, alone=alone) == fault
