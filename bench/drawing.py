"""Renders bars as an SVG drawing, readable on light and dark backgrounds. Pure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from bench.table import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTH, _STEP, _BAR, _TOP = 720, 30, 18, 44
_LEFT, _RIGHT = 260, 90
_OURS, _OTHERS = "#2b6cb0", "#a0aec0"
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#4a5568}.title{font-size:15px;font-weight:600}"
    "@media(prefers-color-scheme:dark){text{fill:#cbd5e0}}"
)
OURS = "mlapi"
"""Labels that start with this are ours, and stand out."""


def render_bars(title: str, bars: Sequence[tuple[str, float]]) -> str:
    """Renders a bar for each label and value; the longest has the full width."""
    height = _TOP + _STEP * len(bars)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    most = max((value for _, value in bars), default=0) or 1
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="8" y="24">{escape(title)}</text>',
    ]
    for number, (label, value) in enumerate(bars):
        lines += _bar(label, value, value / most, _TOP + number * _STEP)
    return "\n".join([*lines, "</svg>\n"])


def _bar(label: str, value: float, share: float, top: int) -> Iterable[str]:
    width = max(1.0, share * (_WIDTH - _LEFT - _RIGHT))
    colour = _OURS if label.startswith(OURS) else _OTHERS
    yield f'<text x="{_LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(label)}</text>'
    yield f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>'
    yield f'<text x="{_LEFT + width + 6:.1f}" y="{top + 14}">{format_value(value)}</text>'
