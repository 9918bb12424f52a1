"""The table of usage: sums, what each form of it says, and that no name is markup."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.config.token_prices import TokenPrice
from centralized_ml_api.plan.usage.build import CallCount
from centralized_ml_api.plan.usage.latency import bucket_of, milliseconds_of
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
    SpentTokens,
    Usage,
    UsageTable,
    error_kind,
)
from support.usage_tables import COUNTS, NOON, build_table, count_calls


def find_row(team: str, model: str) -> Usage:
    return next(row for row in build_table(COUNTS).rows if (row.team, row.model) == (team, model))


def test_a_row_sums_the_calls_of_a_team_to_a_model() -> None:
    row = find_row("red", "chat")
    assert row.statuses == ((200, 6), (429, 2), (503, 1))
    assert (row.requests, row.errors, row.bytes_in, row.bytes_out) == (9, 3, 90, 9000)
    assert row.p50_milliseconds == pytest.approx(100, rel=0.05)
    assert row.p95_milliseconds == pytest.approx(9000, rel=0.05)
    assert (row.first, row.last) == (NOON, NOON + timedelta(seconds=60))


def test_models_are_those_of_all_teams() -> None:
    assert [(usage.team, usage.model, usage.requests) for usage in build_table(COUNTS).models] == [
        ("-", "-", 1),
        ("-", "chat", 10),
        ("-", "echo", 1),
    ]
    assert build_table(COUNTS).teams == ("blue", "red")


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
    lines = render_usage(build_table(COUNTS)).splitlines()
    assert lines[0].split()[:4] == ["TEAM", "MODEL", "REQUESTS", "ERRORS"]
    assert re.match(
        r"red +chat +9 +3 \(2 over a limit, 1 by the server\) +\d+ ms +\d.\d s +90 B +9.0 kB ", lines[4]
    )
    assert re.match(r"total +12 +6$", lines[5])
    assert "Counted towards the daily limits on 2026-06-01 (UTC): red 7." in lines
    assert render_usage(UsageTable(None, (), (), ())) == "No calls yet."


def test_csv_has_numbers_alone_and_no_formula() -> None:
    table = build_table([*COUNTS, count_calls("=1+1", "-2")])
    rows = list(csv.DictReader(io.StringIO(render_usage_csv(table))))
    red = next(row for row in rows if row["team"] == "red")
    assert (red["requests"], red["errors"], red["limited"], red["server"]) == ("9", "3", "2", "1")
    assert {(row["team"], row["model"]) for row in rows} >= {("-", "-"), ("'=1+1", "'-2")}


def test_csv_has_a_line_each_with_an_end_as_elsewhere_and_seconds_without_fractions() -> None:
    start = NOON.timestamp() + 0.25
    text = render_usage_csv(build_table([CallCount("red", "chat", 200, bucket_of(5), 1, 0, 0, start, start)]))
    assert "\r" not in text
    assert text.count("\n") == 2
    assert "2026-06-01T12:00:00Z,2026-06-01T12:00:00Z" in text


def test_json_has_every_status_and_kind() -> None:
    data = usage_json(build_table(COUNTS))
    red = next(row for row in data["rows"] if row["team"] == "red")
    assert red["statuses"] == {"200": 6, "429": 2, "503": 1}
    assert red["errors_by_kind"] == {"refused": 0, "limited": 2, "client": 0, "server": 1, "gone": 0}
    assert (red["first"], data["requests"]) == ("2026-06-01T12:00:00Z", 12)
    assert data["days"] == [{"team": "red", "day": str(date(2026, 6, 1)), "requests": 7}]


def test_latencies_in_json_have_one_decimal() -> None:
    (row,) = usage_json(build_table([count_calls("red", "chat", ms=99)]))["rows"]
    exact = milliseconds_of(bucket_of(99))
    assert row["p50_milliseconds"] == round(exact, 1) != round(exact, 2)


def test_a_report_has_what_an_organizer_asks_for() -> None:
    slowest = render_milliseconds(milliseconds_of(bucket_of(9000)))
    report = render_report(build_table(COUNTS), plot="REPORT.svg", money=["Nothing."])
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
    table = build_table(COUNTS)
    noted = UsageTable(None, table.rows, table.models, table.hours, notes=("a | b",))
    assert "## The numbers\n\n- a \\| b.\n" in render_report(noted, plot="r.svg", money=[])


def test_a_wicked_team_stays_one_cell_of_the_table() -> None:
    report = render_report(build_table([count_calls("a|b<script>*\n# x", "chat")]), plot="r.svg", money=[])
    assert r"| a\|b\<script\>\* \# x | 1 |" in report


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


def test_the_slowest_model_is_the_one_with_the_highest_latency() -> None:
    counts = [
        count_calls("red", "quick", ms=10),
        count_calls("red", "slow", ms=9000),
        count_calls("red", "middle", ms=500),
    ]
    assert "- Slowest: **slow**" in render_report(build_table(counts), plot="r.svg", money=[])


def test_a_thousand_bytes_are_a_kilobyte() -> None:
    assert (render_bytes(999), render_bytes(1000)) == ("999 B", "1.0 kB")


def test_models_in_json_have_no_team() -> None:
    chat = next(row for row in usage_json(build_table(COUNTS))["models"] if row["model"] == "chat")
    assert "team" not in chat
    assert chat["requests"] == 10


def _with_tokens() -> UsageTable:
    estimated = replace(count_calls("blue", "chat"), tokens=Tokens(1500, 0, 300, estimated=1800))
    reported = replace(count_calls("red", "chat"), tokens=Tokens(2_000_000, 1_000_000, 40))
    return build_table([estimated, reported, count_calls("red", "echo")])


def test_tokens_are_shown_where_there_are_any() -> None:
    assert "TOKENS" not in render_usage(build_table(COUNTS))
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
    assert "## Tokens" not in render_report(build_table(COUNTS), plot="a.svg", money=["none"])


def test_tokens_counted_apart_from_the_calls_have_lines_of_their_own() -> None:
    spent = (
        SpentTokens("blue", "own", 3, Tokens(1500, 0, 300, estimated=1800)),
        SpentTokens("red", "gpt", 12, Tokens(2_000_000, 1_000_000, 40, nanodollars=25 * 10**8)),
    )
    table = replace(build_table(COUNTS), spent=spent)
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
    table = replace(build_table(COUNTS), spent=(SpentTokens("blue", "own", 3, Tokens(1500, 0, 300)),))
    total = [line for line in render_usage(table).splitlines() if line.startswith("total")][-1]
    assert total.split() == ["total", "1.5k", "0", "300", "-"]


def test_tokens_are_shown_before_the_log_has_their_calls() -> None:
    spent = (SpentTokens("red", "gpt", 1, Tokens(10, 0, 1)),)
    assert "No calls yet." not in render_usage(UsageTable(None, (), (), (), spent=spent))


def test_dollars_are_shown_with_the_price_its_source_and_its_day() -> None:
    price = TokenPrice(250_000, 25_000, 2_000_000, "genai-prices 1", date(2026, 6, 1))
    counts = [
        replace(count_calls("blue", "chat"), tokens=Tokens(1000, 0, 500, nanodollars=1_260_000)),
        replace(count_calls("red", "chat"), tokens=Tokens(10**9, 0, 0, nanodollars=250 * 10**9)),
    ]
    table = replace(build_table(counts), prices={"chat": price})
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
