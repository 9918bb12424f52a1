"""Requests that no careful caller would send, a few to each engine that is light; all: `make bench`."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

import pytest
from bench.faults.bad_requests.requests import build_bad_request
from bench.faults.bad_requests.routes import ROUTES, list_routes
from bench.faults.bad_requests.run import try_entries, try_routes
from bench.faults.bad_requests.served import ENGINES, ENTRIES, LIGHT, find_taken
from bench.scenarios.bad_requests import share, spread

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 150
SEED = 7


@pytest.mark.slow
def test_a_callers_mistake_is_neither_a_5xx_nor_a_traceback(tmp_path: Path) -> None:
    told: list[str] = []
    tried = try_entries(tmp_path / "api", dict.fromkeys(LIGHT, COUNT), SEED, told.append)
    assert tried.findings == [], "\n".join(told)
    assert tried.tracebacks == []
    statuses = {entry: one.outcome.statuses for entry, one in tried.by_entry.items()}
    assert [entry for entry, counts in statuses.items() if counts.total() != COUNT] == []
    assert [entry for entry, counts in statuses.items() if not counts[200]] == [], "some are answered"


@pytest.mark.slow
def test_a_callers_mistake_on_a_route_of_the_api_is_neither(tmp_path: Path) -> None:
    told: list[str] = []
    tried = try_routes(tmp_path / "api", dict.fromkeys(ROUTES, 40), SEED, told.append)
    assert tried.findings == [], "\n".join(told)
    assert tried.tracebacks == []
    answered = {route: {*one.outcome.statuses} & {200, 202} for route, one in tried.by_entry.items()}
    assert [route for route, statuses in answered.items() if not statuses] == [], "some are answered"


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_seed_makes_the_same_requests_again(entry: str) -> None:
    build = partial(build_bad_request, taken=find_taken(entry))
    first, second = (random.Random(SEED) for _ in range(2))  # noqa: S311  for requests, not for secrets
    assert [build(first) for _ in range(5)] == [build(second) for _ in range(5)]


@pytest.mark.parametrize("route", ROUTES)
def test_a_seed_makes_the_same_calls_of_a_route(route: str) -> None:
    build = partial(build_bad_request, taken=list_routes("key")[route])
    first, second = (random.Random(SEED) for _ in range(2))  # noqa: S311  for requests, not for secrets
    assert [build(first) for _ in range(50)] == [build(second) for _ in range(50)]


def test_each_engine_gets_as_many() -> None:
    counts = spread(5_000)
    assert {engine: sum(counts[entry] for entry in entries) for engine, entries in ENGINES.items()} == (
        dict.fromkeys(ENGINES, 5_000)
    )
    assert sorted(counts) == sorted(ENTRIES)
    assert sum(share(5_000).values()) == 5_000
