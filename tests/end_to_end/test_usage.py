"""`mlapi usage` while it runs, after it ended, after a restart, and after everything was killed."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from support.local_api import mlapi, models, odd_command, start_local_api
from support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support.local_api import LocalApi


TEAMS = {"red": "echo", "blue": "other"}


def _usage(folder: Path) -> dict[tuple[str, str], dict[str, int]]:
    """How many calls had which status, by team and model."""
    ran = mlapi("usage", "--json", cwd=folder)
    rows = json.loads(ran.out)["rows"] if ran.status == 0 else []
    return {(row["team"], row["model"]): row["statuses"] for row in rows}


def _keys(folder: Path) -> dict[str, str]:
    """Every team's key."""
    values: dict[str, str] = json.loads(mlapi("keys", "--show", "--json", cwd=folder).out)
    return values


def _wait_usage(api: LocalApi, expected: dict[tuple[str, str], dict[str, int]]) -> None:
    wait_until(lambda: _usage(api.folder) == expected, f"the usage is {expected}, not {_usage(api.folder)}")


@pytest.mark.slow
def test_calls_of_teams_are_counted_over_restarts_and_a_kill(tmp_path: Path) -> None:
    config = models(echo=odd_command(), other=odd_command()) | {"event": {"teams": list(TEAMS)}}
    with start_local_api(tmp_path, config) as api:
        keys = _keys(api.wait_serving().folder)
        for team, model in TEAMS.items():
            for _ in range(3):
                assert api.call(f"/{model}", x_api_key=keys[team]).status == 200
        assert api.call("/echo").status == 401
        assert api.call("/no-such", x_api_key=keys["red"]).status == 404
        assert api.stop() == 0
    expected = {
        ("-", "echo"): {"401": 1},
        ("blue", "other"): {"200": 3},
        ("red", "-"): {"404": 1},
        ("red", "echo"): {"200": 3},
    }
    assert _usage(tmp_path) == expected
    with start_local_api(tmp_path, config) as api:
        assert api.wait_serving().call("/other", x_api_key=keys["blue"]).status == 200
        expected["blue", "other"] = {"200": 4}
        _wait_usage(api, expected)
        api.process.send_signal(signal.SIGKILL)
        api.process.wait()
    with start_local_api(tmp_path, config) as api:
        assert api.wait_serving().call("/echo", x_api_key=keys["red"]).status == 200
        expected["red", "echo"] = {"200": 4}
        _wait_usage(api, expected)
