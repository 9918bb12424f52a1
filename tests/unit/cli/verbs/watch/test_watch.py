"""`mlapi status --watch`: rates of the last seconds, trouble first, whatever the size of the screen."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from centralized_ml_api.cli.verbs.watch import Lines
from centralized_ml_api.cli.verbs.watch.rows import Window
from centralized_ml_api.cli.verbs.watch.table import build_screen, render_model, render_team
from centralized_ml_api.local.status import EntryState, EntryStatus, LocalStatus, PartStatus, Unapplied
from centralized_ml_api.local.traffic.types import (
    Counted,
    Durations,
    Requests,
    SpendingLeft,
    TeamLimit,
    TokenCount,
    Traffic,
)
from centralized_ml_api.plan.event import POT

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2030, 1, 1, 10, 0, tzinfo=UTC)
LONG = "a-model-with-the-longest-name-that-an-entry-of-the-config-may-have-000"
STATUS = LocalStatus(
    1, "config/models.json", ".mlapi", NOW.timestamp() - 600, "http://127.0.0.1:8080", "", "", (), ()
)


def entry(name: str, state: EntryState = "ready", restarts: int = 0) -> EntryStatus:
    part = PartStatus(name, state, "", 2, 3, restarts, (), ())
    return EntryStatus(name, f"/{name}", state, "", "llama.cpp", "api", (part,))


def seen(at: float, count: int, *limits: TeamLimit, team: str = "red", status: int = 200) -> Traffic:
    durations = Durations("chat", ((100.0, 0), (200.0, count), (inf, count)), count * 150.0)
    counted = Counted((Requests("chat", team, status, count),), (durations,), {"chat": 4})
    return Traffic(at, counted, limits, {"chat": 7})


def window(*looks: Traffic) -> Window:
    made = Window()
    for look in looks:
        made.add(look)
    return made


def screen(status: LocalStatus, looks: Window, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    console.print(build_screen(status, looks.model_rows(status), looks.team_rows(), NOW))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_model_shows_rates_and_latencies_of_the_last_seconds() -> None:
    looks = window(seen(0, 0), seen(5, 1000), seen(15, 1030))
    row = looks.model_rows(replace(STATUS, entries=(entry("chat", restarts=2),)))[0]
    assert render_model(row) == (
        "chat: ready, up 2/3, restarts 2, req/s 3.0, err/s 0.0, p50 ms 150, p95 ms 195, active 4, waiting 7"
    )


def test_a_model_whose_calls_have_tokens_shows_how_many() -> None:
    looks = window()
    for at, count in ((0, 0), (15, 450)):
        tokens = (TokenCount("chat", "red", "out", estimated=False, count=count),)
        look = seen(at, count)
        assert look.counted
        looks.add(replace(look, counted=replace(look.counted, tokens=tokens)))
    row = looks.model_rows(replace(STATUS, entries=(entry("chat"),)))[0]
    assert "p95 ms 195, tok/s 30, active 4" in render_model(row)


def test_what_is_saved_and_not_served_is_on_the_screen_and_in_the_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = replace(STATUS, unapplied=Unapplied(NOW.timestamp(), "chat: no such program", "chat"))
    assert "What is saved could not be applied, since 2030-01-01" in screen(status, window(), 120)
    Lines().show(status, window())
    assert (
        "could not be applied, since 2030-01-01 10:00:00Z: chat: no such program." in capsys.readouterr().out
    )


def test_the_first_look_knows_no_rates_yet() -> None:
    row = window(seen(0, 500)).model_rows(replace(STATUS, entries=(entry("chat"),)))[0]
    assert "req/s -" in render_model(row)


def test_a_gateway_that_does_not_answer_leaves_numbers_open() -> None:
    row = window(seen(0, 5), Traffic(1, None)).model_rows(replace(STATUS, entries=(entry("chat"),)))[0]
    assert render_model(row).endswith("req/s -, err/s -, p50 ms -, p95 ms -, active -, waiting -")


@pytest.mark.parametrize(
    ("limit", "near"),
    [
        (TeamLimit("red", 10, None, None), True),
        (TeamLimit("red", 100, None, None), False),
        (TeamLimit("red", None, 100, 80), True),
        (TeamLimit("red", 100, 100, 79), False),
        (TeamLimit("red", None, None, None), False),
    ],
)
def test_teams_from_four_fifths_of_a_limit_on_are_named(limit: TeamLimit, *, near: bool) -> None:
    assert bool(window(seen(0, 0, limit), seen(10, 80, limit)).team_rows()) is near


def test_a_team_that_was_refused_is_named_with_the_reason_why() -> None:
    limit = TeamLimit("red", 100, 50, 3)
    row = window(seen(0, 0, limit, status=429), seen(10, 20, limit, status=429)).team_rows()[0]
    assert render_team(row) == "team red: req/s 2.0 of 100, refused/s 2.0, today 3 of 50"


def test_teams_with_a_budget_are_listed_with_what_is_left_and_all_of_them_together() -> None:
    teams = (TeamLimit("red", None, None, None), TeamLimit("blue", None, None, None))
    left = (
        SpendingLeft("red", "tokens", "minute", 10_000, 9000),
        SpendingLeft("red", "tokens", "day", 20_000, 8000),
        SpendingLeft("red", "nanodollars", "event", 5 * 10**9, 4 * 10**9),
        SpendingLeft(POT, "nanodollars", "event", 25 * 10**9, 2 * 10**9),
    )
    looks = window(replace(seen(0, 0, *teams), spending=left), replace(seen(10, 20, *teams), spending=left))
    together, red = looks.team_rows()
    assert render_team(together) == (
        "all teams together: req/s 2.0 of -, refused/s 0.0, today - of -, USD left 2.00"
    )
    assert render_team(red) == (
        "team red: req/s 2.0 of -, refused/s 0.0, today - of -, tokens left 8,000, USD left 4.00"
    )
    lines = screen(STATUS, looks).splitlines()
    assert [line.split() for line in lines if "left" in line or "red" in line][-2:] == [
        ["team", "req/s", "of", "refused/s", "today", "of", "tokens", "left", "USD", "left"],
        ["red", "2.0", "-", "0.0", "-", "-", "60%", "8,000", "4.00"],
    ]


def test_budgets_fit_into_eighty_columns_too() -> None:
    limit = TeamLimit("t" * 64, 10, 1000, 999)
    left = (
        SpendingLeft(limit.name, "tokens", "day", 10**8, 12_345_678),
        SpendingLeft(limit.name, "nanodollars", "event", 10**12, 987 * 10**9),
    )
    shown = screen(STATUS, window(replace(seen(0, 0, limit), spending=left)))
    assert max(map(len, shown.splitlines())) <= 80
    for word in ("12,345,678", "987.00", "100%"):
        assert word in shown, word


def test_everything_fits_into_eighty_columns() -> None:
    limit = TeamLimit("t" * 64, 10, 100, 99)
    entries = (entry(LONG, "restarting", 12345), entry("chat"))
    status = replace(STATUS, entries=entries, ends="2030-01-01T12:30:00Z", config="c" * 200)
    shown = screen(status, window(seen(0, 0, limit), seen(10, 123456, limit)))
    assert max(map(len, shown.splitlines())) <= 80
    for word in ("restarting", "12345", "12345.6", "150", "Ends in 2 h 30 min", "99%", "restarts"):
        assert word in shown, word


@pytest.mark.parametrize(
    ("address", "first"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080  for 10 min  config/models.json"),
        ("", "(starting)  for 10 min  config/models.json"),
    ],
)
def test_the_first_line_has_the_address_since_when_and_the_config(address: str, first: str) -> None:
    shown = screen(replace(STATUS, address=address), window(seen(0, 0))).splitlines()
    assert shown[0].rstrip() == first
    assert shown[1].strip() == ""


def test_the_lines_below_it_say_when_it_ends_and_what_the_gateway_has() -> None:
    starts = "2030-01-01T10:05:00Z"
    status = replace(STATUS, starts=starts, ends="2030-01-01T10:10:00Z", gateway_trouble="restarting")
    lines = [line.rstrip() for line in screen(status, window(seen(0, 0))).splitlines()]
    assert lines[1] == "Starts in 5 min, at 2030-01-01T10:05:00Z; until then keys are refused"
    assert lines[2:5] == ["Ends in 10 min, at 2030-01-01T10:10:00Z", "gateway: restarting", ""]
    assert lines[-1] == "q leaves"


def test_one_more_model_is_one() -> None:
    status = replace(STATUS, entries=(entry("a"), entry("b")))
    console = Console(file=io.StringIO(), width=80, no_color=True)
    console.print(build_screen(status, window().model_rows(status), [], NOW, height=6))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines()[-1].strip() == "and 1 more model; q leaves"


def test_without_a_terminal_the_end_and_the_gateway_are_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.show(STATUS, window(seen(0, 0)))
    lines.show(replace(STATUS, ends="2030-01-01T10:10:00Z", gateway_trouble="restarting"), window(seen(0, 0)))
    said = [line.partition("Z ")[2] for line in capsys.readouterr().out.splitlines()]
    assert said == ["gateway: ready", "gateway: restarting", "Ends at 2030-01-01T10:10:00Z"]


def test_a_small_screen_shows_trouble_first_and_says_how_many_are_not_shown() -> None:
    entries = tuple(entry(f"m{number}", "failed" if number == 40 else "ready") for number in range(50))
    limits = [TeamLimit(f"t{number}", None, 100, 99) for number in range(20)]
    looks = window(seen(0, 0, *limits), seen(10, 10, *limits))
    status = replace(STATUS, entries=(*entries, entry("chat")))
    console = Console(file=io.StringIO(), width=80, no_color=True)
    rows, teams = looks.model_rows(status), looks.team_rows()
    console.print(build_screen(status, rows, teams, NOW, height=24))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 24
    shown = [line.split()[0] for line in lines if line.startswith(("m", "chat"))][1:]
    assert {"m40", "chat"} <= set(shown)
    assert f"and {51 - len(shown)} more models" in lines[-1]


def test_names_are_shown_as_they_are_and_never_as_markup() -> None:
    shown = screen(replace(STATUS, entries=(entry("[red]x[/red]"),)), window(seen(0, 0)))
    assert "[red]x[/red]" in shown


def test_without_a_terminal_a_row_is_said_again_only_when_it_changed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines, status = Lines(), replace(STATUS, entries=(entry("chat"), entry("other")))
    lines.show(status, window(seen(0, 0)))
    lines.show(status, window(seen(0, 0)))
    lines.show(replace(status, entries=(entry("chat", "failed"), entry("other"))), window(seen(0, 0)))
    said = [line.partition("Z ")[2].partition(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert said == ["gateway: ready", "chat: ready", "other: ready", "chat: failed"]


class CountedReads(tuple[Any, ...]):  # noqa: SLOT001  # a tuple can have no slots but empty ones
    """A tuple that counts how often it is read through."""

    times = 0

    def __iter__(self) -> Iterator[Any]:
        self.times += 1
        return super().__iter__()


@pytest.mark.parametrize("teams", [2, 200])
def test_each_look_is_read_as_often_however_many_teams_and_models_there_are(teams: int) -> None:
    names = [f"team-{number}" for number in range(teams)]
    requests = CountedReads(Requests(name, name, 200, 10) for name in names)
    tokens = CountedReads(TokenCount(name, name, "in", estimated=False, count=5) for name in names)
    spending = CountedReads(SpendingLeft(name, "tokens", "day", 100, 50) for name in names)
    limits = tuple(TeamLimit(name, 1, None, None) for name in names)
    looks = window(
        Traffic(0, Counted(), limits), Traffic(10, Counted(requests, tokens=tokens), limits, {}, spending)
    )
    rows = looks.team_rows()
    assert {(row.pace.requests_per_second, row.least_left("tokens")) for row in rows} == {(1, 50)}
    assert len(rows) == teams
    status = replace(STATUS, entries=tuple(entry(name) for name in names))
    paces = [row.pace for row in looks.model_rows(status)]
    assert {pace and (pace.requests_per_second, pace.tokens_per_second) for pace in paces} == {(1, 0.5)}
    assert (requests.times, tokens.times, spending.times) == (3, 3, 1)
