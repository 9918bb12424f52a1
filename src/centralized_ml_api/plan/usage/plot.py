"""The calls over time as an SVG drawing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.plan.usage.types import HourUsage

_MOST_BARS = 72
_STEPS_HOURS = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672)
_SECONDS_AN_HOUR = 3600
_WIDTH, _HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 10, 30, 40
_FINE, _FAILED = "#2b6cb0", "#c05621"
_STYLE = "text{font:12px sans-serif;fill:#666}line{stroke:#999}"


@dataclass(frozen=True, slots=True)
class Bar:
    """The calls of one step of time."""

    start: datetime
    requests: int
    errors: int


def build_bars(hours: Sequence[HourUsage]) -> tuple[int, tuple[Bar, ...]]:
    """Returns how many hours a bar stands for, and at most 72 bars without a gap; none without calls."""
    if not hours:
        return 1, ()
    first, last = _hour(hours[0].start), _hour(hours[-1].start)
    coarsest = (last - first) // (_MOST_BARS - 1) + 1
    step = next((step for step in _STEPS_HOURS if last // step - first // step < _MOST_BARS), coarsest)
    sums = {slot: [0, 0] for slot in range(first // step, last // step + 1)}
    for hour in hours:
        slot = sums[_hour(hour.start) // step]
        slot[0] += hour.requests
        slot[1] += hour.errors
    return step, tuple(Bar(_instant(slot * step), *sums[slot]) for slot in sorted(sums))


def render_plot(hours: Sequence[HourUsage]) -> str:
    """Renders the drawing: a bar for each step of time, failed calls at its foot. Text in it is escaped."""
    step, bars = build_bars(hours)
    most = max((bar.requests for bar in bars), default=0)
    title = "Calls an hour (UTC)" if step == 1 else f"Calls in {step} hours (UTC)"
    parts = [*_frame(title, most), *_bars(bars, most), *_times(bars)]
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{escape(title)}</title>'
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>\n"])


def _frame(title: str, most: int) -> Iterable[str]:
    foot = _HEIGHT - _BOTTOM
    yield f'<text x="{_LEFT}" y="18">{escape(title)}</text>'
    yield from _legend("all", _FINE, _WIDTH - 150)
    yield from _legend("failed", _FAILED, _WIDTH - 90)
    yield f'<line x1="{_LEFT}" y1="{foot}" x2="{_WIDTH - _RIGHT}" y2="{foot}"/>'
    yield f'<text x="{_LEFT - 6}" y="{foot}" text-anchor="end">0</text>'
    yield f'<text x="{_LEFT - 6}" y="{_TOP + 10}" text-anchor="end">{most:,}</text>'


def _legend(word: str, colour: str, x: int) -> Iterable[str]:
    yield f'<rect x="{x}" y="9" width="10" height="10" fill="{colour}"/>'
    yield f'<text x="{x + 14}" y="18">{word}</text>'


def _bars(bars: Sequence[Bar], most: int) -> Iterable[str]:
    width = _bar_width(bars)
    for number, bar in enumerate(bars):
        x = _LEFT + number * width
        yield _rectangle(x, width, bar.requests / (most or 1), _FINE)
        if bar.errors:
            yield _rectangle(x, width, bar.errors / (most or 1), _FAILED)


def _rectangle(x: float, width: float, share: float, colour: str) -> str:
    height = share * (_HEIGHT - _TOP - _BOTTOM)
    y = _HEIGHT - _BOTTOM - height
    box = f'x="{x:.1f}" y="{y:.1f}" width="{width * 0.85:.1f}" height="{height:.1f}"'
    return f'<rect {box} fill="{colour}"/>'


def _times(bars: Sequence[Bar]) -> Iterable[str]:
    """Yields labels of at most six bars, evenly spread, from the first on."""
    every = max(1, -(-len(bars) // 6))
    for number in range(0, len(bars), every):
        x = _LEFT + number * _bar_width(bars)
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 20}">{bars[number].start:%d %b %H:%M}</text>'


def _bar_width(bars: Sequence[Bar]) -> float:
    return min(60.0, (_WIDTH - _LEFT - _RIGHT) / (len(bars) or 1))


def _hour(instant: datetime) -> int:
    return int(instant.timestamp()) // _SECONDS_AN_HOUR


def _instant(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * _SECONDS_AN_HOUR, UTC)
