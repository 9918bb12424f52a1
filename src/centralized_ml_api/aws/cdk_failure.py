"""A failed run of the CDK CLI -> one error that says what AWS refused, why, and what to do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.aws.failures import UNKNOWN, FoundFailure, explain_failures
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LAST_LINES = 5


def build_cdk_error(what: str, text: str, reasons: Sequence[str], log: Path) -> DeployError:
    """The error to show.

    Args:
        what: what failed, as the start of a sentence.
        text: all that the CDK CLI said.
        reasons: what CloudFormation says of each failed resource; believed before `text`.
        log: where `text` is kept.
    """
    found = explain_failures(reasons) or explain_failures(text.splitlines())
    if not found:
        found = (FoundFailure(UNKNOWN, _last_lines(reasons, text)),)
    shown = [f"{what}: {found[0].failure.title}", *_details(found)]
    return DeployError("\n".join(shown), fix=f"{_fixes(found)}\n  log: {log}")


def build_aws_error(what: str, error: Exception) -> DeployError:
    """The same for one call of boto3 that failed."""
    found = explain_failures([f"{type(error).__name__}: {error}"])
    if not found:
        return DeployError(f"{what}: {error}")
    return DeployError(f"{what}: {found[0].failure.title}\n  {error}", fix=_fixes(found))


def _details(found: Sequence[FoundFailure]) -> list[str]:
    first, *others = found
    return [f"  {first.words}", *(f"  {one.failure.title}: {one.words}" for one in others)]


def _fixes(found: Sequence[FoundFailure]) -> str:
    return "\n  fix: ".join(f"{one.failure.fix}\n  read: {one.failure.page}" for one in found)


def _last_lines(reasons: Sequence[str], text: str) -> str:
    lines = [line.strip() for line in (reasons or text.splitlines()) if line.strip()]
    return "\n  ".join(lines[-_LAST_LINES:]) or "it said nothing"
