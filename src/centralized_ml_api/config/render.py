"""Problems -> the text that people read, and the data that scripts read. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.commands import command
from centralized_ml_api.config.collect import MOST_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.errors import Problem

MOST_SHOWN = 100
"""How many problems a text shows; `mlapi check --json` lists them all."""

_TAB = "    "
_WIDEST = 100
_BEFORE = 40
_ELLIPSIS = "…"


def render_problems(problems: Sequence[Problem], source: str) -> str:
    """Returns each problem with its line of `source`, and a last line that counts them all.

    Of more than `MOST_SHOWN` problems the errors come first, and a line says how many are left out.

    Args:
        problems: In the order in which they are shown.
        source: The text of the file; without it (it could not be read) no lines are shown.
    """
    lines = _hide_values(problems, source.split("\n"))
    shown = _most_serious(problems)
    blocks = [_render(problem, lines if source else []) for problem in shown]
    left = len(problems) - len(shown)
    file = Path(problems[0].location.file) if problems else None
    more = [f"and {left} more. To list all: {command('check', file, '--json')}"] if left else []
    return "\n\n".join([*blocks, *more, count_problems(problems)])


def _hide_values(problems: Iterable[Problem], lines: list[str]) -> list[str]:
    """Returns the lines with dots in place of values that may be keys."""
    for location in (problem.location for problem in problems if problem.hides_value):
        if location.line <= len(lines):
            line, start = lines[location.line - 1], location.column - 1
            end = start + location.length if location.length > 1 else len(line)
            lines[location.line - 1] = f"{line[:start]}{'·' * (end - start)}{line[end:]}"
    return lines


def _most_serious(problems: Sequence[Problem]) -> Sequence[Problem]:
    if len(problems) <= MOST_SHOWN:
        return problems
    return sorted(problems, key=lambda problem: problem.severity == "warning")[:MOST_SHOWN]


def count_problems(problems: Iterable[Problem]) -> str:
    """Returns the counts in words, such as `2 problems, 1 warning`: errors are called problems.

    It is `1000 or more problems` where no more than that were kept.
    """
    severities = [problem.severity for problem in problems]
    counts = [(severities.count("error"), "problem"), (severities.count("warning"), "warning")]
    return ", ".join(_counted(count, word) for count, word in counts if count) or "no problems"


def _counted(count: int, word: str) -> str:
    at_least = " or more" if count >= MOST_PROBLEMS else ""
    return f"{count}{at_least} {word}{'' if count == 1 else 's'}"


def problem_data(problem: Problem) -> dict[str, Any]:
    """Returns a problem as plain data for `--json`; the fields of its location are not nested."""
    data = asdict(problem)
    del data["hides_value"]  # there is no value in it
    return {
        "id": data.pop("id"),
        "severity": data.pop("severity"),
        "title": data.pop("title"),
        **data.pop("location"),
        **data,
    }


def _render(problem: Problem, lines: Sequence[str]) -> str:
    location = problem.location
    gutter = " " * len(str(location.line))
    file, path = _printable(location.file), _printable(location.path)
    shown = [
        f"{problem.severity}[{problem.id}]: {problem.title}",
        f"{gutter}--> {file}:{location.line}:{location.column}  {path}",
    ]
    if location.line <= len(lines):
        text, caret = _excerpt(lines[location.line - 1], location.column, location.length)
        shown += [f"{gutter} |", f"{location.line} | {text}", f"{gutter} | {caret}"]
    parts = {"found:": problem.found, "expected:": problem.expected, "fix:": problem.fix}
    shown += [f"{gutter} {label:<9} {_printable(text)}" for label, text in parts.items() if text]
    return "\n".join(line.rstrip() for line in shown)


def _excerpt(line: str, column: int, length: int) -> tuple[str, str]:
    """Returns the line and the carets below it, both cut to a readable width around the column."""
    line = line.rstrip("\r")
    start = column - 1
    first = start - _BEFORE if len(line) > _WIDEST and start > _BEFORE else 0
    last = min(len(line), first + _WIDEST)
    before = (_ELLIPSIS if first else "") + _displayed(line[first:start])
    marked = _displayed(line[start : min(start + length, last)])
    after = _displayed(line[start + length : last]) + (_ELLIPSIS if last < len(line) else "")
    return before + marked + after, " " * _width(before) + "^" * max(_width(marked), 1)


def _displayed(text: str) -> str:
    return _printable(text.replace("\t", _TAB))


def _printable(text: str) -> str:
    """Returns the text without characters that move the cursor or change the direction of writing."""
    return (
        text
        if text.isprintable()
        else "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    )


def _width(text: str) -> int:
    """Returns how many columns a text takes on a terminal.

    Source: https://www.unicode.org/reports/tr11/ (wide and full-width characters take two).
    """
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
