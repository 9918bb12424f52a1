"""Tables for the terminal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.scenario import Goal, Row


def render_rows(rows: Sequence[Row]) -> str:
    """Renders the rows in columns, below their headings."""
    headings = list(rows[0]) if rows else []
    return _align([headings, *([format_value(row[heading]) for heading in headings] for row in rows)])


def render_goals(goals: Sequence[Goal]) -> str:
    """Renders a line for each goal."""
    lines = [
        [
            goal.name,
            format_value(goal.value),
            f"{'at least' if goal.at_least else 'at most'} {format_value(goal.goal)}",
            "met" if goal.met else "MISSED",
        ]
        for goal in goals
    ]
    return _align([["goal", "measured", "limit", ""], *lines])


def format_value(value: object) -> str:
    """Formats a number with three significant digits and thousands separators; a missing value is a dash."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004  # three digits
    return f"{value:,}" if isinstance(value, int) else str(value)


def _align(lines: Sequence[Sequence[str]]) -> str:
    """Aligns the first column left, the others right."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
