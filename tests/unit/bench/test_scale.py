"""The pure parts of the scenario `scale`, and whether its configs are in order."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil
import pytest
from bench.many_entries import Size, address_of, build_config
from bench.scaling import FAILED, Figures, Serving, build_growth, build_row, judge, predict_mebibytes
from bench.scenarios.scale import SIZES, choose_sizes, most_memory, word_stop

from centralized_ml_api.config.load import load_config

if TYPE_CHECKING:
    from pathlib import Path

SERVING = Serving(
    start_seconds=2,
    start_cpu_seconds=2,
    reload_seconds=1,
    reload_cpu_seconds=1,
    routes_megabytes=1,
    gateway_mebibytes=100,
    most_mebibytes=110,
    others_mebibytes=200,
    idle_share=0.01,
    own_microseconds=50,
    v1_microseconds=None,
)
FEW, SOME, MANY = Size(100, 20), Size(1000, 20), Size(5000, 20)


def served(**figures: float) -> Figures:
    return Figures(0.2, serving=replace(SERVING, **figures))


@pytest.mark.parametrize(
    ("size", "warned"),
    [
        (Size(300, 3), set()),
        (Size(300, 3, chats=True), set()),
        (Size(300, 3, chats=True, limits=True), {"C419"}),  # its servers report no tokens
    ],
)
def test_a_config_of_any_size_is_in_order(tmp_path: Path, size: Size, warned: set[str]) -> None:
    file = tmp_path / "models.json"
    file.write_text(json.dumps(build_config(size, 4321)), encoding="utf-8")
    loaded = load_config(file, now=datetime.now(UTC))
    assert (len(loaded.config.entries), {problem.id for problem in loaded.warnings}) == (300, warned)


def test_every_entry_has_an_address_of_its_own_on_loopback() -> None:
    addresses = [address_of(number) for number in range(max(size.entries for size in SIZES) + 1)]
    assert len({*addresses}) == len(addresses)
    assert all(ipaddress.ip_address(address).is_loopback for address in addresses)
    assert "127.0.0.1" not in addresses


def test_the_need_of_a_size_is_on_the_line_through_smaller_ones_of_its_kind() -> None:
    figures = {
        FEW: [served(gateway_mebibytes=100)],
        SOME: [served(gateway_mebibytes=190)],
        Size(1000, 20, chats=True): [served(gateway_mebibytes=9000)],
        MANY: [],
    }
    assert predict_mebibytes(MANY, figures) == pytest.approx(590)
    assert predict_mebibytes(Size(100, 5000), figures) is None
    assert predict_mebibytes(SOME, {FEW: [served()], SOME: []}) is None
    assert predict_mebibytes(MANY, {FEW: [served()], SOME: [Figures(0.2, "no memory")]}) is None


def test_a_call_may_not_grow_and_a_start_may_grow_in_proportion() -> None:
    figures = {
        FEW: [served(start_cpu_seconds=2)],
        SOME: [served(start_cpu_seconds=11)],
        MANY: [served(start_cpu_seconds=131, own_microseconds=60)],
        Size(100, 5000): [served(own_microseconds=55)],
    }
    failed, entries, teams, start = judge(figures)
    assert (failed.value, failed.met) == (0, True)
    assert (entries.value, entries.met) == (1.2, False)
    assert (teams.value, teams.met) == (1.1, True)
    assert (start.value, start.goal) == (3, 1.5)


def test_a_size_that_failed_misses_a_goal_and_one_without_memory_does_not() -> None:
    lacking, broken = Figures(1.5, "a reload would need 43 GiB"), Figures(1.5, "error: no port", failed=True)
    for stopped, count in ((lacking, 0), (broken, 1)):
        (failed,) = judge({FEW: [served()], SOME: [served()], MANY: [stopped]})
        assert (failed.name, failed.value, failed.met) == (FAILED, count, not count)


def test_a_size_that_was_not_served_has_its_reason() -> None:
    stopped = Figures(1.5, "a reload would need 43 GiB, and 20 are free")
    row, other = build_row(MANY, [stopped]), build_row(FEW, [served()])
    assert (row["check CPU s"], row["gateway MiB"], row["why not"]) == (1.5, None, stopped.stopped)
    assert (other["gateway MiB"], other["µs at /v1"], other["why not"]) == (100, None, "")
    assert list(row) == list(other)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (subprocess.TimeoutExpired(["mlapi", "up"], 120), "it did not start within 120 s"),
        (RuntimeError("mlapi up exited with 1:\nerror: no port\n  fix: another\n"), "error: no port"),
        (RuntimeError("m-7 answers 503"), "m-7 answers 503"),
        (RuntimeError("error: " + 300 * "x"), "error: " + 193 * "x"),
    ],
)
def test_why_a_size_was_not_served_is_said_in_a_line(
    error: RuntimeError | subprocess.TimeoutExpired, said: str
) -> None:
    assert word_stop(error) == said


def test_the_most_memory_of_a_process_is_at_least_what_it_has() -> None:
    assert most_memory(os.getpid()) >= 0.9 * psutil.Process().memory_info().rss > 0


def test_how_each_figure_grows_is_told_for_a_thousand_entries_or_teams_more() -> None:
    figures = {
        FEW: [served(start_seconds=2, gateway_mebibytes=100)],
        SOME: [served(start_seconds=6.5, gateway_mebibytes=190)],
        MANY: [served(start_seconds=46.5, gateway_mebibytes=590)],
        Size(100, 1000): [served(start_seconds=3)],
        Size(100, 5000): [served(start_seconds=7)],
        Size(100, 5000, chats=True, limits=True): [served(start_seconds=99)],
        Size(100, 20, chats=True): [served()],
        Size(1000, 20, chats=True): [Figures(1.5, "no memory")],
        Size(5000, 20, chats=True): [served(v1_microseconds=60)],
    }
    rows = {row[""]: row for row in build_growth(figures)}
    assert [(name, row["start s"], row["gateway MiB"]) for name, row in rows.items()] == [
        ("1,000 entries more, from 100 to 1,000", 5, 100),
        ("1,000 entries more, from 1,000 to 5,000", 10, 100),
        ("1,000 teams more, from 1,000 to 5,000", 1, 0),
        ("1,000 entries more, from 100 to 5,000 (chats)", 0, 0),
    ]
    assert {row["µs at /v1"] for row in rows.values()} == {None}
    assert all(list(row) == list(build_row(FEW, figures[FEW])) for row in rows.values())


def test_large_sizes_can_be_left_out_and_many_chats_alone() -> None:
    assert choose_sizes({}) == [*SIZES]
    assert {max(size.entries, size.teams) for size in choose_sizes({"entries": "1000"})} == {100, 1000}
    few_chats = choose_sizes({"chats": "100"})
    assert [size for size in SIZES if size not in few_chats] == [
        Size(1000, 20, chats=True),
        Size(5000, 20, chats=True),
    ]
