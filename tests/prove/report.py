"""The report of a run: what was checked, what was received, and nothing that is anybody's business."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Verdict = Literal["passed", "failed", "skipped"]

_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_KEY = re.compile(r"mlapi_[A-Za-z0-9]{16,}|AKIA[A-Z0-9]{12,}|ASIA[A-Z0-9]{12,}")
_SHOWN_CHARACTERS = 400
_EXPLAINED_CHARACTERS = 3000


@dataclass(frozen=True)
class Check:
    """One line of the report. `received` is how the answer looked, where one came."""

    group: str
    name: str
    verdict: Verdict
    reason: str = ""
    received: str = ""
    seconds: float = 0.0


@dataclass
class Report:
    """All of a run, in its order. `facts` are versions, the region, times and costs."""

    facts: dict[str, str] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def is_passed(self) -> bool:
        """Returns whether something was checked and nothing failed."""
        return bool(self.checks) and not [check for check in self.checks if check.verdict == "failed"]

    def counts(self) -> dict[str, int]:
        """Counts the checks by verdict."""
        verdicts: tuple[Verdict, ...] = ("passed", "failed", "skipped")
        return {verdict: sum(check.verdict == verdict for check in self.checks) for verdict in verdicts}

    def hide(self, value: str, name: str) -> None:
        """Makes the report say `<name>` instead of a value."""
        if value:
            self.secrets[value] = f"<{name}>"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Writes `report.md` and `report.json`; returns both paths."""
        shown = self.redacted()
        said = {"passed": shown.is_passed, "counts": shown.counts(), "facts": shown.facts}
        whole = {**said, "checks": [asdict(check) for check in shown.checks]}
        paths = folder / "report.md", folder / "report.json"
        paths[0].write_text(shown.render(), encoding="utf-8")
        paths[1].write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return paths

    def redacted(self) -> Report:
        """Returns the report with each of its texts redacted: before any is escaped or shortened.

        Twelve digits of a duration are no account.
        """
        return Report(
            facts={name: self.redact(value) for name, value in self.facts.items()},
            checks=[
                replace(
                    check,
                    name=self.redact(check.name),
                    reason=self.redact(check.reason),
                    received=self.redact(check.received),
                )
                for check in self.checks
            ],
        )

    def render(self) -> str:
        """Renders Markdown, what failed first."""
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.counts().items())
        facts = [f"| {name} | {_cell(value)} |" for name, value in self.facts.items()]
        failed = [check for check in self.checks if check.verdict == "failed"]
        lines = [
            "# A run on AWS",
            "",
            f"**{'Passed' if self.is_passed else 'FAILED'}**: {counts}.",
            "",
            *("| what | value |", "| --- | --- |"),
            *facts,
            "",
            *(["## What failed", ""] if failed else []),
            *(part for check in failed for part in _render_failure(check)),
            "## Every check",
            "",
            *(
                "| group | check | verdict | seconds | what was received |",
                "| --- | --- | --- | ---: | --- |",
            ),
            *(_row(check) for check in self.checks),
        ]
        return "\n".join(lines) + "\n"

    def redact(self, text: str) -> str:
        """Replaces what identifies the account or opens its API; the longest values first."""
        for value in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(value, self.secrets[value])
        return _KEY.sub("<key>", _ACCOUNT.sub("<account>", text))


def _render_failure(check: Check) -> list[str]:
    received = ["", f"  received: {_cell(check.received)}"] if check.received else []
    reason = textwrap.indent(check.reason[-_EXPLAINED_CHARACTERS:], "      ")
    return [f"- **{check.group}: {_cell(check.name)}**", "", reason, *received, ""]


def _row(check: Check) -> str:
    said = check.received if check.verdict == "passed" else check.reason
    cells = (check.group, check.name, check.verdict, f"{check.seconds:.1f}", said)
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Returns a text as one cell of a table, shortened."""
    line = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…"


def facts_of(versions: Mapping[str, Any]) -> dict[str, str]:
    """Returns facts as texts."""
    return {name: str(value) for name, value in versions.items()}
