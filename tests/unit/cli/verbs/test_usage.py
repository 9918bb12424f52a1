"""`mlapi usage` on one machine, with nothing running."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from support.access_log import append, line
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which two teams called."""
    now = datetime.now(UTC)
    old = now - timedelta(days=3)
    lines = [line("red", "chat", at=now), line("red", "chat", 503, at=now), line("blue", "echo", at=old)]
    append(tmp_path / ".mlapi/logs/access.log", *lines)
    return tmp_path


def test_where_nothing_was_called_it_says_how_to_start(tmp_path: Path) -> None:
    ran = mlapi("usage", cwd=tmp_path)
    assert ran.status == 1
    assert "nothing was called yet with the state folder" in ran.talk
    assert "name another state folder with --state, or a deployment with --target aws" in ran.talk
    assert not (tmp_path / ".mlapi").exists()


def test_the_table_is_shown_and_what_to_do_next(folder: Path) -> None:
    ran = mlapi("usage", cwd=folder)
    assert ran.status == 0, ran.talk
    assert "1 (1 by the server)" in ran.out
    assert "Note: P50 and P95 are within 5% of the exact value." in ran.out
    assert ran.talk.startswith("Next: ")


def test_without_any_call_no_note_is_about_calls(tmp_path: Path) -> None:
    log = tmp_path / ".mlapi" / "logs" / "access.log"
    log.parent.mkdir(parents=True)
    log.touch()
    ran = mlapi("usage", cwd=tmp_path)
    assert (ran.status, ran.out) == (0, "No calls yet.\n")


def test_since_leaves_out_what_is_older(folder: Path) -> None:
    ran = mlapi("usage", "--since", "24h", "--json", cwd=folder)
    data = json.loads(ran.out)
    assert [(row["team"], row["requests"]) for row in data["rows"]] == [("red", 2)]
    assert data["target"] == "local"


def test_csv_is_csv(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(mlapi("usage", "--csv", cwd=folder).out)))
    assert [(row["team"], row["model"], row["requests"]) for row in rows] == [
        ("blue", "echo", "1"),
        ("red", "chat", "2"),
    ]


def test_a_report_has_its_drawing_beside_it(folder: Path) -> None:
    ran = mlapi("usage", "--report", "REPORT.md", cwd=folder)
    assert ran.status == 0, ran.talk
    assert "**3 calls**" in (folder / "REPORT.md").read_text()
    assert "AWS bills nothing" in (folder / "REPORT.md").read_text()
    assert (folder / "REPORT.svg").read_text().startswith("<svg ")
    assert "Wrote REPORT.md and REPORT.svg" in ran.talk


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--csv", "--json"), "--csv and --json cannot be combined"),
        (("--since", "soon"), "is not a duration"),
        (("--report", "none/REPORT.md"), "cannot be written"),
        (("--report", "R.svg"), "R.svg would be overwritten by its chart"),
    ],
)
def test_a_wrong_command_line_says_why(folder: Path, flags: tuple[str, ...], said: str) -> None:
    ran = mlapi("usage", *flags, cwd=folder)
    assert ran.status == 2
    assert said in ran.talk


def test_a_store_that_cannot_be_read_is_one_error(folder: Path) -> None:
    (folder / ".mlapi/usage.db").mkdir()
    ran = mlapi("usage", cwd=folder)
    assert ran.status == 1
    assert "cannot be counted" in ran.talk
    assert "Traceback" not in ran.talk
