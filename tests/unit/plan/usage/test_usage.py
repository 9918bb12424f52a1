"""The table of usage: sums, what each form of it says, and that no name is markup."""

from __future__ import annotations

import csv
import io
import itertools
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.config.token_prices import TokenPrice
from centralized_ml_api.plan.usage.build import CallCount, build_models, build_rows
from centralized_ml_api.plan.usage.latency import bucket_of, milliseconds_of
from centralized_ml_api.plan.usage.plot import build_bars, render_plot
from centralized_ml_api.plan.usage.report import escape_markdown, render_report
from centralized_ml_api.plan.usage.table import (
    render_bytes,
    render_milliseconds,
    render_usage,
    render_usage_csv,
    usage_json,
)
from centralized_ml_api.plan.usage.tokens import Tokens
from centralized_ml_api.plan.usage.types import (
    HourUsage,
    SpentTokens,
    TeamDay,
    Usage,
    UsageTable,
    error_kind,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def _count(team: str, model: str, status: int = 200, *, requests: int = 1, ms: int = 100) -> CallCount:
    seconds = NOON.timestamp()
    return CallCount(
        team, model, status, bucket_of(ms), requests, 10 * requests, 1000 * requests, seconds, seconds + 60
    )


def _table(counts: Sequence[CallCount]) -> UsageTable:
    rows = build_rows(counts)
    requests, errors = sum(row.requests for row in rows), sum(row.errors for row in rows)
    hours = (HourUsage(NOON, requests, errors),)
    return UsageTable(None, rows, build_models(counts), hours, (TeamDay("red", NOON.date(), 7),))


COUNTS = (
    _count("red", "chat", requests=6),
    _count("red", "chat", 429, requests=2, ms=1),
    _count("red", "chat", 503, ms=9000),
    _count("blue", "chat", 400),
    _count("blue", "echo", 0),
    _count("-", "-", 404),
)


def _row(team: str, model: str) -> Usage:
    return next(row for row in _table(COUNTS).rows if (row.team, row.model) == (team, model))


def test_a_row_sums_the_calls_of_a_team_to_a_model() -> None:
    row = _row("red", "chat")
    assert row.statuses == ((200, 6), (429, 2), (503, 1))
    assert (row.requests, row.errors, row.bytes_in, row.bytes_out) == (9, 3, 90, 9000)
    assert row.p50_milliseconds == pytest.approx(100, rel=0.05)
    assert row.p95_milliseconds == pytest.approx(9000, rel=0.05)
    assert (row.first, row.last) == (NOON, NOON + timedelta(seconds=60))


def test_models_are_those_of_all_teams() -> None:
    assert [(usage.team, usage.model, usage.requests) for usage in _table(COUNTS).models] == [
        ("-", "-", 1),
        ("-", "chat", 10),
        ("-", "echo", 1),
    ]
    assert _table(COUNTS).teams == ("blue", "red")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0, "gone"),
        (200, None),
        (399, None),
        (400, "client"),
        (401, "refused"),
        (403, "refused"),
        (429, "limited"),
        (499, "client"),
        (500, "server"),
        (599, "server"),
    ],
)
def test_every_error_is_of_one_kind(status: int, kind: str | None) -> None:
    assert error_kind(status) == kind


def test_the_text_has_a_line_a_row_and_the_sums() -> None:
    lines = render_usage(_table(COUNTS)).splitlines()
    assert lines[0].split()[:4] == ["TEAM", "MODEL", "REQUESTS", "ERRORS"]
    assert re.match(
        r"red +chat +9 +3 \(2 over a limit, 1 by the server\) +\d+ ms +\d.\d s +90 B +9.0 kB ", lines[4]
    )
    assert re.match(r"total +12 +6$", lines[5])
    assert "Counted towards the daily limits on 2026-06-01 (UTC): red 7." in lines
    assert render_usage(UsageTable(None, (), (), ())) == "No calls yet."


def test_csv_has_numbers_alone_and_no_formula() -> None:
    table = _table([*COUNTS, _count("=1+1", "-2")])
    rows = list(csv.DictReader(io.StringIO(render_usage_csv(table))))
    red = next(row for row in rows if row["team"] == "red")
    assert (red["requests"], red["errors"], red["limited"], red["server"]) == ("9", "3", "2", "1")
    assert {(row["team"], row["model"]) for row in rows} >= {("-", "-"), ("'=1+1", "'-2")}


def test_csv_has_a_line_each_with_an_end_as_elsewhere_and_seconds_without_fractions() -> None:
    start = NOON.timestamp() + 0.25
    text = render_usage_csv(_table([CallCount("red", "chat", 200, bucket_of(5), 1, 0, 0, start, start)]))
    assert "\r" not in text
    assert text.count("\n") == 2
    assert "2026-06-01T12:00:00Z,2026-06-01T12:00:00Z" in text


def test_json_has_every_status_and_kind() -> None:
    data = usage_json(_table(COUNTS))
    red = next(row for row in data["rows"] if row["team"] == "red")
    assert red["statuses"] == {"200": 6, "429": 2, "503": 1}
    assert red["errors_by_kind"] == {"refused": 0, "limited": 2, "client": 0, "server": 1, "gone": 0}
    assert (red["first"], data["requests"]) == ("2026-06-01T12:00:00Z", 12)
    assert data["days"] == [{"team": "red", "day": str(date(2026, 6, 1)), "requests": 7}]


def test_latencies_in_json_have_one_decimal() -> None:
    (row,) = usage_json(_table([_count("red", "chat", ms=99)]))["rows"]
    exact = milliseconds_of(bucket_of(99))
    assert row["p50_milliseconds"] == round(exact, 1) != round(exact, 2)


def test_a_report_has_what_an_organizer_asks_for() -> None:
    slowest = render_milliseconds(milliseconds_of(bucket_of(9000)))
    report = render_report(_table(COUNTS), plot="REPORT.svg", money=["Nothing."])
    for said in (
        "# Report, 2026-06-01 12:00 to 2026-06-01 12:01 UTC",
        "- **12 calls**, 6 of them failed (50.0%).",
        "- **2 teams** called.",
        "- Busiest hour: **2026-06-01 12:00**, 12 calls.",
        "- Most called: **chat**, 10 calls.",
        f"- Slowest: **chat**, 95 of 100 calls took {slowest} or less.",
        "![Calls over time](<REPORT.svg>)",
        "| red | 9 | 3 | chat | 90 B | 9.0 kB |",
        "- Nothing.",
    ):
        assert said in report
    assert render_report(UsageTable(None, (), (), ()), plot="x", money=[]) == "# Report\n\nNobody called.\n"


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_name_is_markup_in_a_report(name: str) -> None:
    escaped = escape_markdown(name)
    assert not re.search(r"[\r\n\x0b\x0c\x85\u2028\u2029]", escaped)
    assert not re.search(r"(?<!\\)[<>&|*_`\[\]#!~]", escaped.replace("\\\\", ""))


def test_a_report_says_what_its_numbers_are() -> None:
    table = _table(COUNTS)
    noted = UsageTable(None, table.rows, table.models, table.hours, notes=("a | b",))
    assert "## The numbers\n\n- a \\| b.\n" in render_report(noted, plot="r.svg", money=[])


def test_a_wicked_team_stays_one_cell_of_the_table() -> None:
    report = render_report(_table([_count("a|b<script>*\n# x", "chat")]), plot="r.svg", money=[])
    assert r"| a\|b\<script\>\* \# x | 1 |" in report


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


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(None, "-"), (0.0, "0 ms"), (999.0, "999 ms"), (1234.0, "1.2 s"), (90_000.0, "1.5 min")],
)
def test_latencies_are_said_in_a_fitting_unit(milliseconds: float | None, said: str) -> None:
    assert render_milliseconds(milliseconds) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(None, "-"), (0, "0 B"), (1500, "1.5 kB"), (2_000_000, "2.0 MB"), (10**16, "10000.0 TB")],
)
def test_bytes_are_said_in_a_fitting_unit(number: int | None, said: str) -> None:
    assert render_bytes(number) == said


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
    table = _table(COUNTS)
    assert build_bars([]) == (1, ())
    quiet = UsageTable(None, table.rows, table.models, ())
    assert "Busiest hour" not in render_report(quiet, plot="r.svg", money=[])


def test_the_slowest_model_is_the_one_with_the_highest_latency() -> None:
    counts = [_count("red", "quick", ms=10), _count("red", "slow", ms=9000), _count("red", "middle", ms=500)]
    assert "- Slowest: **slow**" in render_report(_table(counts), plot="r.svg", money=[])


def test_a_thousand_bytes_are_a_kilobyte() -> None:
    assert (render_bytes(999), render_bytes(1000)) == ("999 B", "1.0 kB")


def test_models_in_json_have_no_team() -> None:
    chat = next(row for row in usage_json(_table(COUNTS))["models"] if row["model"] == "chat")
    assert "team" not in chat
    assert chat["requests"] == 10


def _with_tokens() -> UsageTable:
    estimated = replace(_count("blue", "chat"), tokens=Tokens(1500, 0, 300, estimated=1800))
    reported = replace(_count("red", "chat"), tokens=Tokens(2_000_000, 1_000_000, 40))
    return _table([estimated, reported, _count("red", "echo")])


def test_tokens_are_shown_where_there_are_any() -> None:
    assert "TOKENS" not in render_usage(_table(COUNTS))
    lines = [line.split() for line in render_usage(_with_tokens()).splitlines()]
    assert [line[-4:] for line in lines[1:5]] == [
        ["~1.5k", "0", "~300", "-"],
        ["2.0M", "1.0M", "40", "-"],
        ["0", "0", "0", "-"],
        ["~2.0M", "1.0M", "~340", "-"],
    ]


def test_scripts_get_exact_tokens() -> None:
    table = _with_tokens()
    (row,) = [row for row in usage_json(table)["rows"] if row["team"] == "red" and row["model"] == "chat"]
    assert (row["tokens_in"], row["tokens_cached"], row["tokens_out"]) == (2_000_000, 1_000_000, 40)
    assert usage_json(table)["tokens_estimated"] == 1800
    assert render_usage_csv(table).splitlines()[1].endswith(",1500,0,300,1800,0.000000000")


def test_the_report_has_tokens_by_team_and_the_share_that_is_estimated() -> None:
    page = render_report(_with_tokens(), plot="a.svg", money=["none"])
    assert "| blue | chat | 1 | 1,500 | 0 | 300 | 100% | 0.00 |" in page
    assert "| total |  |  | 2,001,500 | 1,000,000 | 340 | 0% | 0.00 |" in page
    assert "## Tokens" not in render_report(_table(COUNTS), plot="a.svg", money=["none"])


def test_tokens_counted_apart_from_the_calls_have_lines_of_their_own() -> None:
    spent = (
        SpentTokens("blue", "own", 3, Tokens(1500, 0, 300, estimated=1800)),
        SpentTokens("red", "gpt", 12, Tokens(2_000_000, 1_000_000, 40, nanodollars=25 * 10**8)),
    )
    table = replace(_table(COUNTS), spent=spent)
    calls, _, rest = render_usage(table).partition("\n\n")
    assert "TOKENS" not in calls
    assert [line.split() for line in rest.splitlines()[:4]] == [
        ["TEAM", "MODEL", "CALLS", "TOKENS", "IN", "CACHED", "TOKENS", "OUT", "USD"],
        ["blue", "own", "3", "~1.5k", "0", "~300", "-"],
        ["red", "gpt", "12", "2.0M", "1.0M", "40", "2.50"],
        ["total", "~2.0M", "1.0M", "~340", "~2.50"],
    ]
    data = usage_json(table)
    assert (data["tokens_in"], data["spent"][1]["usd"]) == (2_001_500, "2.500000000")
    page = render_report(table, plot="a.svg", money=["none"])
    assert "| red | gpt | 12 | 2,000,000 | 1,000,000 | 40 | 0% | 2.50 |" in page
    assert "- Tokens: **2.50 USD**." in page


def test_tokens_counted_apart_without_a_price_have_no_dollars_in_their_sum() -> None:
    table = replace(_table(COUNTS), spent=(SpentTokens("blue", "own", 3, Tokens(1500, 0, 300)),))
    total = [line for line in render_usage(table).splitlines() if line.startswith("total")][-1]
    assert total.split() == ["total", "1.5k", "0", "300", "-"]


def test_tokens_are_shown_before_the_log_has_their_calls() -> None:
    spent = (SpentTokens("red", "gpt", 1, Tokens(10, 0, 1)),)
    assert "No calls yet." not in render_usage(UsageTable(None, (), (), (), spent=spent))


def test_dollars_are_shown_with_the_price_its_source_and_its_day() -> None:
    price = TokenPrice(250_000, 25_000, 2_000_000, "genai-prices 1", date(2026, 6, 1))
    counts = [
        replace(_count("blue", "chat"), tokens=Tokens(1000, 0, 500, nanodollars=1_260_000)),
        replace(_count("red", "chat"), tokens=Tokens(10**9, 0, 0, nanodollars=250 * 10**9)),
    ]
    table = replace(_table(counts), prices={"chat": price})
    text = render_usage(table)
    assert [text.splitlines()[row].split()[-1] for row in (1, 2, 3)] == ["0.0013", "250.00", "250.00"]
    assert (
        "USD of chat: 0.25 per million tokens in, 0.025 cached, 2 out (by genai-prices 1, 2026-06-01)."
        in text
    )
    assert usage_json(table)["rows"][0]["usd"] == "0.001260000"
    assert usage_json(table)["prices"]["chat"]["source"] == "genai-prices 1, 2026-06-01"
    page = render_report(table, plot="a.svg", money=["none"])
    assert "- Tokens: **250.00 USD**." in page
    assert "by genai-prices 1, 2026-06-01" in page
