"""What the store of past calls keeps: days, tokens and what they cost; and for how long."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.token_prices import TokenPrice, build_token_price
from centralized_ml_api.local.admission.accounts import Need
from centralized_ml_api.local.admission.endings import Ending, Reservation, judge_ending
from centralized_ml_api.local.usage import store, transaction
from centralized_ml_api.local.usage.collector import UsageCollector, UsageRecorder
from centralized_ml_api.local.usage.store import UsageStore
from centralized_ml_api.plan.usage.report import render_report
from centralized_ml_api.plan.usage.tokens import Tokens
from support.access_log import NOON, append, line

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_store_is_for_this_user_alone(collector: UsageCollector) -> None:
    append(collector.log, line())
    collector.collect()
    assert collector.store.path.stat().st_mode & 0o777 == 0o600


def test_a_quota_counts_what_was_let_through_on_a_day_of_utc(collector: UsageCollector) -> None:
    append(
        collector.log,
        *(line(status=status) for status in (200, 400, 500, 0, 401, 403, 405, 413, 429, 501)),
        *(line(model=None, status=status) for status in (200, 400, 404)),
        line("blue"),
        line("blue", at=NOON - timedelta(hours=12, milliseconds=1)),
        line("blue", at=NOON + timedelta(hours=12)),
    )
    assert collector.count_day(date(2026, 6, 1)) == {"red": 4, "blue": 1}
    assert collector.count_day(date(2026, 5, 31)) == {"blue": 1}


def test_a_table_since_an_instant_begins_with_its_hour(collector: UsageCollector) -> None:
    append(
        collector.log, *(line(at=NOON + timedelta(minutes=minutes)) for minutes in (-61, -60, -1, 0, 59, 60))
    )
    since = collector.load_table(NOON + timedelta(minutes=30))
    assert since.requests == 3
    assert [(hour.start.hour, hour.requests) for hour in since.hours] == [(12, 2), (13, 1)]


def test_an_hour_has_what_its_tokens_cost(collector: UsageCollector) -> None:
    recorder = UsageRecorder(collector, print)
    recorder.note_prices({"echo": TokenPrice(1000, 500, 2000, "the config")})
    later = NOON + timedelta(hours=1)
    append(collector.log, line(tokens_in=3, tokens_out=2), line(), line(at=later, tokens_in=1))
    asyncio.run(recorder.collect())
    hours = collector.load_table(None).hours
    assert [(hour.start, hour.nanodollars) for hour in hours] == [(NOON, 7), (later, 1)]


def _clocked(tmp_path: Path, now: datetime) -> UsageCollector:
    return UsageCollector(UsageStore(tmp_path / "usage.db", now.timestamp), tmp_path / "access.log")


def test_old_hours_become_days_with_the_same_sums_and_old_days_go(tmp_path: Path) -> None:
    collector = _clocked(tmp_path, NOON)
    append(collector.log, *(line(at=NOON + timedelta(hours=hours), milliseconds=7) for hours in range(36)))
    before = collector.load_table(None)
    later = _clocked(tmp_path, NOON + timedelta(days=store.KEEP_HOURS_DAYS + 2))
    after = later.load_table(None)
    assert (after.rows, after.models) == (before.rows, before.models)
    assert [(hour.start, hour.requests) for hour in after.hours] == [
        (datetime(2026, 6, 1, tzinfo=UTC), 12),
        (datetime(2026, 6, 2, tzinfo=UTC), 24),
    ]
    assert later.count_day(date(2026, 6, 2)) == {"red": 24}
    last = _clocked(tmp_path, NOON + timedelta(days=store.KEEP_DAYS + 1))
    assert [hour.start.day for hour in last.load_table(None).hours] == [2]


def test_more_names_than_there_is_room_for_are_counted_together(
    collector: UsageCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "MAX_PAIRS", 50)  # so many lines take seconds to count
    append(collector.log, *(line(f"team-{number}") for number in range(transaction.MAX_PAIRS + 5)))
    table = collector.load_table(None)
    assert table.requests == transaction.MAX_PAIRS + 5
    assert len(table.rows) == transaction.MAX_PAIRS + 1
    assert {row.team: row.requests for row in table.rows}["(others)"] == 5


def test_unknown_paths_are_one_row_and_a_long_name_is_cut(collector: UsageCollector) -> None:
    append(collector.log, *(line(None, None, 404) for _ in range(1000)), line("t" * 1000))
    rows = collector.load_table(None).rows
    assert [(row.team[:4], len(row.team), row.model, row.requests) for row in rows] == [
        ("-", 1, "-", 1000),
        ("tttt", 128, "echo", 1),
    ]


def test_tokens_are_added_up_by_team_and_model_also_in_days_long_past(tmp_path: Path) -> None:
    reported: dict[str, Any] = {"answer": "whole", "tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}
    log = tmp_path / "logs/access.log"
    append(log, line(**reported), line(**reported), line(answer="whole", bytes_in=40, bytes_out=8))
    for later in (timedelta(), timedelta(days=20)):
        collector = UsageCollector(UsageStore(tmp_path / "usage.db", (NOON + later).timestamp), log)
        table = collector.load_table(None)
        assert table.tokens == table.models[0].tokens == Tokens(48, 8, 22, estimated=12)


_VERSION_0 = """
CREATE TABLE pairs (id INTEGER PRIMARY KEY, team TEXT NOT NULL, model TEXT NOT NULL, UNIQUE (team, model));
CREATE TABLE calls (
    hour INTEGER, pair INTEGER, status INTEGER, bucket INTEGER,
    requests INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL,
    PRIMARY KEY (hour, pair, status, bucket)
) WITHOUT ROWID;
CREATE TABLE positions (id INTEGER PRIMARY KEY, part TEXT UNIQUE, bytes INTEGER NOT NULL);
CREATE TABLE unreadable (id INTEGER PRIMARY KEY CHECK (id = 1), lines INTEGER NOT NULL);
INSERT INTO unreadable VALUES (1, 0);
INSERT INTO pairs VALUES (1, 'red', 'echo');
INSERT INTO calls VALUES (494940, 1, 200, 3, 7, 21, 35, 1781784000.0, 1781784001.0);
"""


def test_a_store_from_before_tokens_keeps_its_calls(collector: UsageCollector) -> None:
    with contextlib.closing(sqlite3.connect(collector.store.path)) as database:
        database.executescript(_VERSION_0)
    append(collector.log, line(answer="whole", tokens_in=2, tokens_out=3))
    for _ in range(2):
        table = collector.load_table(None)
        assert (table.requests, table.tokens) == (8, Tokens(2, 0, 3))


def test_tokens_cost_what_they_did_when_they_were_counted(collector: UsageCollector) -> None:
    said: list[str] = []
    recorder = UsageRecorder(collector, said.append)
    call: dict[str, Any] = {"answer": "whole", "tokens_in": 100, "tokens_cached": 40, "tokens_out": 10}
    dear = TokenPrice(10_000, 5000, 20_000, "dear", NOON.date())
    for price in (TokenPrice(1000, 500, 2000, "cheap"), dear):
        recorder.note_prices({"echo": price})
        append(collector.log, line(**call), line(model="free", **call))
        assert asyncio.run(recorder.collect())
    table = collector.load_table(None)
    assert {row.model: row.tokens.nanodollars for row in table.rows} == {"echo": 100 + 1000, "free": 0}
    assert table.prices == {"echo": dear}
    assert said == []


def test_what_a_cache_writes_costs_as_much_as_limits_charge(collector: UsageCollector) -> None:
    recorder = UsageRecorder(collector, lambda _: None)
    price = TokenPrice(3001, 300, 15_000, "me")
    recorder.note_prices({"echo": price})
    tokens: dict[str, Any] = {"tokens_in": 100, "tokens_cached": 40, "tokens_cache_writes": 33}
    append(collector.log, *[line(answer="whole", tokens_out=11, **tokens)] * 2)
    assert asyncio.run(recorder.collect())
    kept = Reservation((), Need(10**6, 10**12), (price.read, price.cached, price.written), 0, has_tokens=True)
    charged = judge_ending(kept, Ending(200, read=100, cached=40, cache_writes=33, written=11))
    assert charged is not None
    assert collector.load_table(None).tokens == Tokens(200, 80, 22, nanodollars=2 * charged.nanodollars)


def test_prices_are_written_once_the_disk_can_be(collector: UsageCollector) -> None:
    price = TokenPrice(1000, 500, 2000, "the config")
    recorder = UsageRecorder(collector, lambda _: None)
    recorder.note_prices({"echo": price})
    collector.store.path.mkdir(parents=True)
    assert not asyncio.run(recorder.collect())
    collector.store.path.rmdir()
    assert asyncio.run(recorder.collect())
    assert collector.store.load_prices() == {"echo": price}


def test_a_team_has_its_calls_that_were_let_through_and_the_tokens_of_all(collector: UsageCollector) -> None:
    call: dict[str, Any] = {"answer": "whole", "tokens_in": 19, "tokens_cached": 4, "tokens_out": 10}
    append(
        collector.log, line(**call), line(**call), line("red", "echo", 429), line("blue", "echo", 200, **call)
    )
    collector.collect()
    assert collector.store.load_team("red") == (2, Tokens(38, 8, 20))
    assert collector.store.load_team("nobody") == (0, Tokens())


def test_an_event_of_twenty_teams_and_three_models_is_reported_to_the_cent(collector: UsageCollector) -> None:
    gpt = build_token_price(Decimal("0.25"), Decimal("0.025"), Decimal(2), "genai-prices")
    vectors = build_token_price(Decimal("0.02"), None, Decimal(0), "genai-prices")
    own = build_token_price(Decimal(0), None, Decimal(0), "the config")
    recorder = UsageRecorder(collector, lambda _: None)
    recorder.note_prices({"gpt": gpt, "vectors": vectors, "own": own})
    for number in range(20):
        tokens = {"tokens_in": 1_000_000 + number * 37_777, "tokens_cached": 400_000, "tokens_out": 200_000}
        calls: dict[str, dict[str, Any]] = {
            "gpt": {"answer": "stream", **tokens},
            "vectors": {"answer": "whole", "tokens_in": 3_333_333},
            "own": {"answer": "whole", **tokens},
        }
        append(collector.log, *(line(f"team{number:02}", model, **call) for model, call in calls.items()))
    assert asyncio.run(recorder.collect())
    table = collector.load_table(None)
    page = render_report(table, plot="a.svg", money=["none"])
    # 20 teams: 0.6 M new tokens, 37,777 more a team; 0.4 M cached; 0.2 M out. Then 3.33 M of embeddings.
    chats = 20 * Decimal("0.15") + 190 * Decimal(37777) * Decimal("0.25") / 10**6
    exact = chats + 20 * (Decimal("0.01") + Decimal("0.4")) + 20 * Decimal(3333333) * Decimal("0.02") / 10**6
    assert abs(Decimal(table.tokens.nanodollars).scaleb(-9) - exact) < Decimal("0.000001")
    assert f"- Tokens: **{exact:.2f} USD**." in page
    assert "| team19 | gpt | 1 | 1,717,763 | 400,000 | 200,000 | 0% | 0.7394 |" in page
    assert "| team19 | own | 1 | 1,717,763 | 400,000 | 200,000 | 0% | 0.00 |" in page
