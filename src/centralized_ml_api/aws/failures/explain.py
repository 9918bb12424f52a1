"""Explains what AWS and the CDK say when something fails: what they refused, why, and what to do. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.aws.failures.failure import Failure, Rank
from centralized_ml_api.aws.failures.known import UNKNOWN, recognise
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_LAST_LINES = 5
_MOST_UNKNOWN = 5
"""How many reasons without an entry are shown: where many models fail at once, each has its own."""

_OUTCOME = re.compile(
    r".*(failed creation, it may need to be manually deleted from the AWS console|failed to deploy"
    r"|is in a failed state\. You may need to delete it from the AWS console) ?: "
    r"[A-Z_]+(: (?P<reason>.*)| \((?P<bracketed>.*)\)|$)",
    re.DOTALL,
)
"""How the CDK CLI ends: the state of the stack, then, where CloudFormation gives one, the reason.

The state says how the stack ended, not why: only the reason is explained.
"""

_STACK_FAILED = re.compile(r"\b((CREATE|UPDATE|DELETE|IMPORT)_FAILED|(UPDATE_)?ROLLBACK_[A-Z_]+)\b(?! state)")
"""A state that the CDK CLI prints when CloudFormation failed in this run, and not before it began."""


@dataclass(frozen=True, slots=True)
class FoundFailure:
    """A failure, and the line from AWS or the CDK that shows it."""

    failure: Failure
    line: str


def explain_failures(lines: Iterable[str]) -> tuple[FoundFailure, ...]:
    """Returns the known failures that the lines show, each once, in the order in which they occur.

    What only follows from another failure is left out where a cause is known.
    """
    return _without_consequences(
        explained for explained in map(_explain, lines) if explained.failure is not UNKNOWN
    )


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

    Every reason is shown, those without an entry in AWS's own words. Where CloudFormation did not fail in
    this run, the reasons are of an older one: then `text` is explained.

    Args:
        what: What failed, as the start of a sentence.
        text: The whole output of the CDK CLI.
        reasons: What CloudFormation says about each failed resource; takes precedence over `text`.
        log: The file that holds `text`.
    """
    found = _without_consequences(map(_explain, reasons)) if _STACK_FAILED.search(text) else ()
    found = _shorten(found or _explain_output(text))
    first, *others = found
    lines = [
        f"{what}: {first.failure.title}",
        f"  {first.line}",
        *(f"  {other.failure.title}: {other.line}" for other in others),
    ]
    fixes = "\n  fix: ".join(dict.fromkeys(_fix(explained.failure) for explained in found))
    return DeployError("\n".join(lines), fix=f"{fixes}\n  log: {log}")


def _explain(line: str) -> FoundFailure:
    """Explains one line; a line that ends the CDK's output, by the reason in it."""
    outcome = _OUTCOME.match(line)
    said = (outcome["reason"] or outcome["bracketed"] or "") if outcome else line
    return FoundFailure(recognise(said) or UNKNOWN, line.strip())


def _explain_output(text: str) -> tuple[FoundFailure, ...]:
    """Explains the CDK's output, of whose lines most say nothing about a failure; returns at least one."""
    lines = text.splitlines()
    found = (
        explained
        for explained in map(_explain, lines)
        if explained.failure is not UNKNOWN or _has_reason(explained.line)
    )
    return _without_consequences(found) or (FoundFailure(UNKNOWN, _last_lines(lines)),)


def _has_reason(line: str) -> bool:
    outcome = _OUTCOME.match(line)
    return bool(outcome and (outcome["reason"] or outcome["bracketed"]))


def _without_consequences(found: Iterable[FoundFailure]) -> tuple[FoundFailure, ...]:
    """Keeps each failure once, each unknown line once, and consequences only where there is no cause."""
    once: dict[tuple[str, str], FoundFailure] = {}
    for explained in found:
        words = explained.line if explained.failure is UNKNOWN else ""
        once.setdefault((explained.failure.id, words), explained)
    causes = [explained for explained in once.values() if explained.failure.rank is not Rank.CONSEQUENCE]
    return tuple(causes or once.values())


def _shorten(found: Sequence[FoundFailure]) -> tuple[FoundFailure, ...]:
    """Leaves out the unknown lines after the first few; all of them are in the log."""
    unknown = [explained for explained in found if explained.failure is UNKNOWN]
    return tuple(explained for explained in found if explained not in unknown[_MOST_UNKNOWN:])


def _fix(failure: Failure) -> str:
    return f"{failure.fix}\n  read: {failure.page}"


def _last_lines(lines: Sequence[str]) -> str:
    spoken = [line.strip() for line in lines if line.strip()]
    return "\n  ".join(spoken[-_LAST_LINES:]) or "it printed nothing"
