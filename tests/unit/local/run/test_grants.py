"""What teams are granted on top of their limits: how it is read, added, kept and forgotten."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.run.grants import Grants
from centralized_ml_api.organizer.grant import NOTHING, Grant
from centralized_ml_api.plan.event import Spending, TeamPlan
from support.fake_target import NOON

if TYPE_CHECKING:
    from pathlib import Path

DOLLAR = 10**9
RED = TeamPlan("red", None, 50, None, spending=Spending(tokens_per_minute=7, nanodollars=2 * DOLLAR))
ENDS = NOON + timedelta(hours=4)


def test_limits_per_day_and_for_the_event_are_raised_and_rates_are_not() -> None:
    grants = Grants()
    assert grants.raise_limits(RED) is RED
    grants.replace("red", Grant(nanodollars=DOLLAR, tokens=9, requests=10))
    raised = grants.raise_limits(RED)
    assert raised.requests_per_day == 60
    assert raised.spending == Spending(tokens_per_minute=7, nanodollars=3 * DOLLAR), "no limit where none was"
    every = TeamPlan("red", None, None, None, spending=Spending(7, 100, DOLLAR, 5 * DOLLAR, 1000))
    assert grants.raise_limits(every).spending == Spending(7, 109, 2 * DOLLAR, 6 * DOLLAR, 1009)
    assert grants.raise_limits(every).requests_per_day is None


def test_grants_outlive_a_restart_until_the_event_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "granted.json"
    grants = Grants(path, NOON)
    grants.follow(NOON + timedelta(hours=2))
    assert not path.exists(), "nothing is granted"
    grants.replace("red", Grant(tokens=5))
    grants.replace("blue", Grant(requests=2))
    grants.replace("blue", NOTHING)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    grants.follow(ENDS)
    again = Grants(path, ENDS - timedelta(seconds=1))
    assert again.to_json() == {"red": {"usd": 0.0, "tokens": 5, "requests": 0}}
    assert Grants(path, ENDS).find("red") == NOTHING
    endless = Grants(path, NOON)
    endless.follow(None)
    assert Grants(path, ENDS).find("red") == Grant(tokens=5)


@pytest.mark.parametrize("text", ["", "[]", '{"ends": "", "teams": {"red": {"euro": 1}}}', '{"ends": 7}'])
def test_a_damaged_file_says_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "granted.json"
    path.write_text(text)
    grants = Grants(path, NOON)
    assert grants.find("red") == NOTHING
    grants.replace("red", Grant(tokens=1))
    assert json.loads(path.read_text())["teams"]["red"]["tokens"] == 1


def test_what_cannot_be_written_is_not_granted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    grants = Grants(tmp_path / "file" / "granted.json", NOON)
    with pytest.raises(StartError):
        grants.replace("red", Grant(tokens=1))
    assert grants.find("red") == NOTHING
