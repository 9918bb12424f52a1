"""The guides to jobs name the limits that the code has."""

from __future__ import annotations

import re

from centralized_ml_api.local.jobs.types import JobLimits
from centralized_ml_api.plan.aws.jobs import LIMITS
from support.doc_shell import ROOT

_MIB = 1024 * 1024


def _load(page: str) -> str:
    return " ".join((ROOT / "docs/how-to" / page).read_text(encoding="utf-8").split())


def _numbers(page: str, pattern: str) -> list[str]:
    found = re.search(pattern, _load(page))
    assert found, pattern
    return [*found.groups()]


def test_one_machine_takes_as_many_jobs_as_its_page_says() -> None:
    limits, page = JobLimits(), "answers-that-take-minutes.md"
    of_team = (limits.waiting_per_team, limits.kept_per_team, limits.bytes_per_team // _MIB)
    assert _numbers(
        page, r"A team may have (\S+) jobs waiting and (\S+) in all, .{1,40} up to (\S+) MiB\."
    ) == [f"{number:,}" for number in of_team]
    of_all = [str(limits.waiting), str(limits.bytes // _MIB // 1024)]
    assert _numbers(page, r"All teams together may have (\S+) waiting, and (\S+) GiB\.") == of_all
    running = _numbers(page, r"Up to (\S+) jobs of a team run at the same time, and (\S+) in all")
    assert running == [{4: "four"}[limits.running_per_team], str(limits.running)]
    assert _numbers(page, r"they are kept for (\d+) hours\.") == [f"{limits.kept_seconds / 3600:.0f}"]
    assert _numbers(page, r"more than (\d+) MiB is not kept") == [str(limits.answer_bytes // _MIB)]


def test_aws_takes_as_many_jobs_as_its_page_says() -> None:
    assert _numbers("jobs-on-aws.md", r"\*\*(\d+) jobs of a team\*\*") == [str(LIMITS["most_at_once"])]
