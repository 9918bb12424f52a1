"""Explains what AWS and the CDK say when something fails: what they refused, why, and what to do. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.aws.known_failures import FAILURES, UNKNOWN, Failure
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_LAST_LINES = 5


@dataclass(frozen=True, slots=True)
class FoundFailure:
    """A known failure, and the line from AWS or the CDK that shows it."""

    failure: Failure
    line: str


def explain_failures(lines: Iterable[str]) -> tuple[FoundFailure, ...]:
    """Returns the known failures that the lines show, each once, in the order in which they occur."""
    found: dict[str, FoundFailure] = {}
    for line in lines:
        failure = _recognise(line)
        if failure and failure.id not in found:
            found[failure.id] = FoundFailure(failure, line.strip())
    return tuple(found.values())


def explain_error(error: Exception) -> Failure | None:
    """Returns the known failure that an error of botocore shows, None where it shows none."""
    found = explain_failures([f"{type(error).__name__}: {error}"])
    return found[0].failure if found else None


def build_aws_error(what: str, error: Exception) -> DeployError:
    """Builds the error for a failed call of AWS; `what` says what failed, as the start of a sentence."""
    failure = explain_error(error)
    if failure is None:
        return DeployError(f"{what}: {error}")
    return DeployError(f"{what}: {failure.title}\n  {error}", fix=_fix(failure))


def build_cdk_error(what: str, text: str, reasons: Sequence[str], log: Path) -> DeployError:
    """Builds the error for a failed run of the CDK CLI.

    Args:
        what: what failed, as the start of a sentence.
        text: the whole output of the CDK CLI.
        reasons: what CloudFormation says about each failed resource; takes precedence over `text`.
        log: the file that holds `text`.
    """
    found = explain_failures(reasons) or explain_failures(text.splitlines())
    if not found:
        found = (FoundFailure(UNKNOWN, _last_lines(reasons or text.splitlines())),)
    first, *others = found
    lines = [
        f"{what}: {first.failure.title}",
        f"  {first.line}",
        *(f"  {other.failure.title}: {other.line}" for other in others),
    ]
    fixes = "\n  fix: ".join(_fix(explained.failure) for explained in found)
    return DeployError("\n".join(lines), fix=f"{fixes}\n  log: {log}")


def _recognise(line: str) -> Failure | None:
    return next(
        (failure for failure in FAILURES if any(re.search(pattern, line) for pattern in failure.patterns)),
        None,
    )


def _fix(failure: Failure) -> str:
    return f"{failure.fix}\n  read: {failure.page}"


def _last_lines(lines: Sequence[str]) -> str:
    spoken = [line.strip() for line in lines if line.strip()]
    return "\n  ".join(spoken[-_LAST_LINES:]) or "it printed nothing"
