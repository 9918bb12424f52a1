"""`python -m bench`: what it takes, what it keeps, what the page makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.__main__ import main
from bench.catalogue import load_scenario, scenario_names
from bench.drawing import render_bars
from bench.keeping import RESULTS, build_result
from bench.page import render_page
from bench.scenario import Goal, Measured
from bench.table import format_value

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("slower", 1.2, 1.15), False),
        (Goal("as slow as allowed", 1.15, 1.15), True),
        (Goal("too little", 0.89, 0.9, at_least=True), False),
        (Goal("enough", 0.9, 0.9, at_least=True), True),
    ],
)
def test_a_goal_is_the_most_or_the_least(goal: Goal, met: bool) -> None:  # noqa: FBT001  # a row of the table
    assert goal.met is met


def test_what_is_kept_says_when_where_and_with_what() -> None:
    measured = Measured([Goal("slower", 1.2, 1.15)], [{"app": "ours", "s": 1.2}], versions={"node": "v24"})
    kept = build_result(measured, 3, {"before": (0.123, 0, 0), "after": (1, 1, 1)})
    assert kept["goals"] == [{"name": "slower", "value": 1.2, "side": "at most", "goal": 1.15, "met": False}]
    assert {"date", "machine", "versions", "rounds", "load_average", "rows", "goals", "details"} == set(kept)
    assert kept["versions"]["node"] == "v24"
    assert json.loads(json.dumps(kept)) == kept


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0.0123, "0.0123"),
        (1.161, "1.16"),
        (1234.5, "1,234"),
        (12345, "12,345"),
        ("ours", "ours"),
    ],
)
def test_numbers_are_shown_as_they_are_read(value: object, shown: str) -> None:
    assert format_value(value) == shown


def test_every_kept_result_has_its_scenario_and_its_place_on_the_page() -> None:
    page = render_page()
    kept = sorted(file.stem for file in RESULTS.glob("*.json"))
    assert set(kept) <= set(scenario_names())
    for name in kept:
        assert f"## {load_scenario(name).title}\n" in page


def test_a_drawing_escapes_its_words() -> None:
    drawing = render_bars("<b>", [("mlapi", 2.0), ("<script>", 1.0)])
    assert "<script>" not in drawing
    assert "&lt;script&gt;" in drawing


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rounds", "1", "soak", "synth"], "--rounds: synth needs at least 3"),
        (["--option", "way"], "'way' is not KEY=VALUE"),
        (["--option", "way=ours", "synth"], "there is no way 'ours'; choose from python app.py, "),
        (
            ["--option", "peers=apache", "gateway"],
            "there is no gateway 'apache'; choose from the model itself",
        ),
        (["nothing"], "there is no scenario 'nothing'; choose from "),
    ],
)
def test_the_driver_says_what_is_wrong(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_the_driver_is_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "there is no scenario 'nothing'; choose from " in done.stderr
