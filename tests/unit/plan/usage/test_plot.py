"""The drawing of a report: its bars, its axis, and that everything lies inside."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.plan.usage.plot import build_bars, render_plot
from centralized_ml_api.plan.usage.report import render_report
from centralized_ml_api.plan.usage.types import (
    HourUsage,
    UsageTable,
)
from support.usage_tables import COUNTS, NOON, build_table

SVG = "{http://www.w3.org/2000/svg}"


def _bars_of(drawing: str) -> list[tuple[str, float]]:
    drawn = ET.fromstring(drawing).iter(f"{SVG}rect")  # noqa: S314  # our own text
    boxes = [box for box in drawn if box.get("height") != "10"]
    return [(box.get("fill", ""), float(box.get("height", ""))) for box in boxes]


def test_the_drawing_has_a_bar_an_hour_also_where_nothing_was_called() -> None:
    drawing = render_plot([HourUsage(NOON, 10, 5), HourUsage(NOON + timedelta(hours=2), 20, 0)])
    assert _bars_of(drawing) == [("#2b6cb0", 95.0), ("#c05621", 47.5), ("#2b6cb0", 0.0), ("#2b6cb0", 190.0)]
    assert ET.fromstring(render_plot([])).tag == f"{SVG}svg"  # noqa: S314


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 24 * 400), st.integers(1, 1000), min_size=1, max_size=50))
def test_any_length_of_event_fits_into_the_drawing_and_no_call_is_missing(calls: dict[int, int]) -> None:
    hours = [HourUsage(NOON + timedelta(hours=hour), calls[hour], 0) for hour in sorted(calls)]
    step, bars = build_bars(hours)
    assert len(bars) <= 72
    assert sum(bar.requests for bar in bars) == sum(calls.values())
    starts = [bar.start for bar in bars]
    assert all(later - earlier == timedelta(hours=step) for earlier, later in itertools.pairwise(starts))


@pytest.mark.parametrize(
    ("last_hour", "step", "bars"),
    [
        *((72 * step - 1, step, 72) for step in (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 672)),
        (72, 2, 37),
        (72 * 672, 682, 71),  # longer than five years
    ],
)
def test_a_bar_stands_for_the_shortest_usual_time_that_needs_at_most_72_bars(
    last_hour: int, step: int, bars: int
) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    hours = [HourUsage(epoch, 1, 0), HourUsage(epoch + timedelta(hours=last_hour), 1, 0)]
    found, drawn = build_bars(hours)
    assert (found, len(drawn)) == (step, bars)


def test_the_axis_lies_inside_the_drawing_below_the_most_and_at_none() -> None:
    drawing = ET.fromstring(render_plot([HourUsage(NOON, 1234, 0)]))  # noqa: S314
    (axis,) = drawing.iter(f"{SVG}line")
    assert 0 < float(axis.attrib["y1"]) < float(drawing.attrib["height"])
    places = {text.text: float(text.attrib["y"]) for text in drawing.iter(f"{SVG}text")}
    assert places["1,234"] < places["0"] == float(axis.attrib["y1"]) == float(axis.attrib["y2"])


def test_bars_stand_on_the_foot_and_failed_calls_before_all() -> None:
    hours = [HourUsage(NOON, 4, 1), HourUsage(NOON + timedelta(hours=1), 2, 0)]
    rectangles = list(ET.fromstring(render_plot(hours)).iter(f"{SVG}rect"))[2:]  # noqa: S314
    boxes = [tuple(float(box.get(name, "")) for name in ("x", "y", "width", "height")) for box in rectangles]
    assert boxes == [(60, 30, 51, 190), (60, 172.5, 51, 47.5), (120, 125, 51, 95)]


def test_all_that_is_written_begins_inside_the_drawing() -> None:
    drawing = ET.fromstring(render_plot([HourUsage(NOON, 4, 1)]))  # noqa: S314
    width = float(drawing.attrib["width"])
    assert all(0 <= float(part.attrib["x"]) < width for part in drawing.iter() if "x" in part.attrib)


def test_a_drawing_names_the_first_step_of_time() -> None:
    drawing = render_plot([HourUsage(NOON, 4, 1), HourUsage(NOON + timedelta(hours=1), 2, 0)])
    assert "<title>Calls an hour (UTC)</title>" in drawing
    assert '<text x="60.0" y="240">01 Jun 12:00</text>' in drawing
    assert '<text x="120.0" y="240">01 Jun 13:00</text>' in drawing


def test_many_bars_share_the_width_and_at_most_six_say_when() -> None:
    hours = [HourUsage(NOON + timedelta(hours=hour), 1, 0) for hour in range(72)]
    drawing = ET.fromstring(render_plot(hours))  # noqa: S314
    bars = list(drawing.iter(f"{SVG}rect"))[2:]
    ends = [float(bar.attrib["x"]) + float(bar.attrib["width"]) for bar in bars]
    assert 700 < ends[-1] <= 710
    labels = [text.text for text in drawing.iter(f"{SVG}text") if ":" in (text.text or "")]
    assert labels == [f"{NOON + timedelta(hours=hour):%d %b %H:%M}" for hour in range(0, 72, 12)]


def test_hours_without_calls_are_nothing_to_draw_and_nothing_to_report() -> None:
    table = build_table(COUNTS)
    assert build_bars([]) == (1, ())
    quiet = UsageTable(None, table.rows, table.models, ())
    assert "Busiest hour" not in render_report(quiet, plot="r.svg", money=[])
