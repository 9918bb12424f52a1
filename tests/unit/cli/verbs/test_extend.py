"""`mlapi extend` moves the end and touches nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import click
import pytest

from centralized_ml_api.cli.verbs.extend import UntilArgument
from centralized_ml_api.errors import UsageError
from centralized_ml_api.local.status import LocalStatus
from centralized_ml_api.organizer.journal import Journal
from support.control import SilentTarget, serve_control
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

    from support.local_api import Ran

SUMMER = timezone(timedelta(hours=2))
NOW = datetime(2030, 6, 1, 12, 0, 0, 5, tzinfo=UTC)
ENDS = datetime(2030, 6, 1, 18, tzinfo=SUMMER)
OVER = datetime(2030, 6, 1, 8, tzinfo=SUMMER)
CONFIG = """\
// who
models: [{name: chat, integration: {type: api}, instance: ml.g5.xlarge, model_id: x}]
event: # ours
  teams: [red]
"""


@pytest.mark.parametrize(
    ("written", "ends", "resolved"),
    [
        ("2030-06-01T20:00:00-01:00", ENDS, "2030-06-01T20:00:00-01:00"),
        ("+2h", ENDS, "2030-06-01T20:00:00+02:00"),
        ("2h", ENDS, "2030-06-01T16:00:00+02:00"),
        ("+2h", OVER, "2030-06-01T16:00:00+02:00"),
        ("+30m", None, "2030-06-01T12:30:00+00:00"),
        ("1.5d", None, "2030-06-03T00:00:00+00:00"),
    ],
)
def test_until_is_an_instant_a_time_from_now_or_one_after_the_end(
    written: str, ends: datetime | None, resolved: str
) -> None:
    until = UntilArgument().convert(written, None, None)
    assert until.resolve(ends, NOW).isoformat() == resolved


def test_no_end_is_later_than_what_can_be_written() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    with pytest.raises(UsageError, match="after the year 9999"):
        UntilArgument().convert("+2h", None, None).resolve(last, NOW)


@pytest.mark.parametrize(
    "written", ["soon", "2030-06-01", "2030-06-01T18:00", "-2h", "+0h", "9999d", "", "+"]
)
def test_another_form_is_refused(written: str) -> None:
    with pytest.raises(click.BadParameter, match=r"write 2030|write 90s|3660 days"):
        UntilArgument().convert(written, None, None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "models.yaml").write_text(CONFIG.replace("//", "#"))
    return tmp_path


def extend(project: Path, *arguments: str) -> Ran:
    return mlapi("extend", *arguments, "models.yaml", cwd=project)


def test_the_end_is_written_and_moved_and_all_else_stays(project: Path) -> None:
    path = project / "models.yaml"
    before = path.read_text()
    ran = extend(project, "2099-06-01T18:00:00+02:00")
    assert (ran.status, ran.out.partition(",")[0]) == (0, "The event ends at 2099-06-01T18:00:00+02:00")
    assert path.read_text() == f'{before}  ends: "2099-06-01T18:00:00+02:00"\n'
    assert "Next: mlapi up models.yaml" in ran.talk
    again = "mlapi extend 2099-06-01T18:00:00+02:00 models.yaml --target aws"
    assert f"If it is deployed: {again}\n" in ran.talk

    ran = extend(project, "+90m")
    assert "(it was 2099-06-01T18:00:00+02:00)" in ran.out
    assert path.read_text() == f'{before}  ends: "2099-06-01T19:30:00+02:00"\n'


def test_an_end_that_is_over_is_moved_too_and_up_says_how(project: Path) -> None:
    path = project / "models.yaml"
    path.write_text(path.read_text() + "  ends: 2020-01-01T00:00:00Z # then\n")
    refused = mlapi("up", "models.yaml", cwd=project)
    assert refused.status == 2
    assert "C404" in refused.talk
    assert "mlapi extend 2h" in refused.talk
    assert extend(project, "2099-06-01T18:00:00Z").status == 0
    assert path.read_text().endswith("\n  ends: 2099-06-01T18:00:00Z # then\n")


def test_an_earlier_end_is_asked_about(project: Path) -> None:
    path = project / "models.yaml"
    extend(project, "2099-06-01T18:00:00Z")
    before = path.read_text()
    asked = extend(project, "2098-06-01T18:00:00Z")
    assert (asked.status, path.read_text()) == (2, before)
    assert "That is 365 days earlier than the present end, 2099-06-01T18:00:00Z." in asked.talk
    assert "--yes" in asked.talk
    assert extend(project, "--yes", "2098-06-01T18:00:00Z").status == 0
    assert path.read_text() == before.replace("2099", "2098")


@pytest.mark.parametrize(
    ("until", "said"),
    [("2020-01-01T00:00:00Z", "is in the past"), ("+2h", "C205"), ("+1h", "cannot be edited safely")],
)
def test_what_makes_no_sense_changes_nothing(project: Path, until: str, said: str) -> None:
    path = project / "models.yaml"
    broken = {
        "C205": ("type: api", "type: lambda"),
        "cannot be edited safely": (" # ours\n  teams: [red]", " 3"),
    }
    path.write_text(path.read_text().replace(*broken.get(said, ("", ""))))
    before = path.read_text()
    ran = extend(project, until)
    assert (ran.status, path.read_text()) == (2, before)
    assert said in ran.talk


def test_what_runs_is_told_and_the_journal_has_it(project: Path) -> None:
    config = project / "models.yaml"
    target = SilentTarget(LocalStatus(7, str(config), ".mlapi", 0.0, "http://127.0.0.1:1", "", "", (), ()))
    with serve_control(target, project / ".mlapi"):
        assert mlapi("extend", "2099-06-01T18:00:00Z", "models.yaml", cwd=project).status == 0
    assert target.told == [None]
    (deed,) = Journal(project / ".mlapi").load(9)
    assert (deed.by, deed.act, deed.detail) == ("command line", "extend", "to 2099-06-01T18:00:00Z")


def test_an_end_that_is_written_but_not_applied_is_in_the_journal(project: Path) -> None:
    config = project / "models.yaml"
    status = LocalStatus(7, str(config), ".mlapi", 0.0, "http://127.0.0.1:1", "", "", (), ())
    target = SilentTarget(status, changes={"error": "the gateway does not answer"})
    with serve_control(target, project / ".mlapi"):
        ran = mlapi("extend", "2099-06-01T18:00:00Z", "models.yaml", cwd=project)
    assert (ran.status, "the gateway does not answer" in ran.talk) == (1, True)
    deeds = Journal(project / ".mlapi").load(9)
    assert [(deed.act, deed.by) for deed in deeds] == [
        ("extend not applied", "command line"),
        ("extend", "command line"),
    ]
    assert deeds[0].detail == "the gateway does not answer"
