"""Stores and loads results: `results/NAME.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.machine import describe_machine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.scenario import Goal, Measured

RESULTS = Path(__file__).resolve().parent / "results"


def build_result(measured: Measured, rounds: int, load: Mapping[str, tuple[float, ...]]) -> dict[str, Any]:
    """Builds what is stored of a run: when, where and with which versions, then the numbers."""
    return {
        **describe_machine(**measured.versions),
        "rounds": rounds,
        "load_average": {
            moment: [round(average, 2) for average in sample] for moment, sample in load.items()
        },
        "rows": [dict(row) for row in measured.rows],
        "goals": [_describe(goal) for goal in measured.goals],
        "details": dict(measured.details),
    }


def write_result(name: str, result: Mapping[str, Any]) -> Path:
    """Stores a result, replacing the previous one."""
    file = RESULTS / f"{name}.json"
    RESULTS.mkdir(exist_ok=True)
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return file


def load_result(name: str) -> dict[str, Any] | None:
    """Returns the stored result, or None."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _describe(goal: Goal) -> dict[str, Any]:
    side = "at least" if goal.at_least else "at most"
    return {"name": goal.name, "value": goal.value, "side": side, "goal": goal.goal, "met": goal.met}
