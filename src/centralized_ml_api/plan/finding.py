"""What `mlapi doctor` finds: one thing that was looked at, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.commands import command

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.errors import Problem

Severity = Literal["ok", "warning", "error", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    `unknown` means that it could not be looked at, and why. `check` is a stable word that scripts may match;
    `page` is where the documentation explains it. Empty texts are not shown.
    """

    check: str
    severity: Severity
    title: str
    detail: str = ""
    fix: str = ""
    page: str = ""


Look = Callable[[], Iterable[Finding]]
"""A check whose subject is already in it."""


def is_healthy(findings: Iterable[Finding]) -> bool:
    """Returns whether no finding is an error."""
    return all(finding.severity != "error" for finding in findings)


def build_config_findings(path: Path, problems: Iterable[Problem]) -> list[Finding]:
    """Builds a finding for each problem and warning of a config; one that is ok when there is none. Pure."""
    found = [_of_problem(problem) for problem in problems]
    return found or [Finding("config", "ok", f"{path} has no problems")]


def _of_problem(problem: Problem) -> Finding:
    location = problem.location
    return Finding(
        "config",
        problem.severity,
        f"{problem.title} [{problem.id}]",
        f"{location.file}:{location.line}:{location.column} {problem.found}".rstrip(),
        problem.fix,
        command("explain", problem.id),
    )
