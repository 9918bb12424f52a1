from __future__ import annotations

import resource
from pathlib import Path

import pytest

from centralized_ml_api.local.envoy.settings import (
    Files,
    Limits,
    fit_connections,
    fit_memory,
    fit_shares,
    render_seconds,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(29, "29s"), (0.5, "0.5s"), (0, "0s"), (1.0, "1s"), (100, "100s"), (0.005, "0.005s")],
)
def test_durations_are_written_as_protobuf_reads_them(seconds: float, text: str) -> None:
    assert render_seconds(seconds) == text


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "..", "a\0b"])
def test_no_name_of_an_upstream_leaves_the_folder(name: str) -> None:
    files = Files(Path("/state"), Path("/state/access.log"))
    assert files.endpoints_of(name).parent == Path("/state/endpoints")
    assert "\0" not in str(files.endpoints_of(name))


@pytest.mark.parametrize(
    ("most", "clients"),
    [(resource.RLIM_INFINITY, 4096), (1_048_576, 4096), (4096, 1008), (1024, 240), (256, 48), (10, 1)],
)
def test_so_many_clients_may_connect_that_models_can_be_reached_for_all(most: int, clients: int) -> None:
    assert fit_connections(4096, most) == clients


@pytest.mark.parametrize(("machine", "mebibytes"), [(64, 1024), (4, 1024), (2, 512), (1, 256)])
def test_calls_may_hold_a_quarter_of_a_small_machine(machine: int, mebibytes: int) -> None:
    assert fit_memory(1024 * 2**20, machine * 2**30) == mebibytes * 2**20


@pytest.mark.parametrize(
    ("host", "shares"),
    [("127.0.0.1", 0), ("127.0.0.2", 0), ("::1", 0), ("0.0.0.0", 8), ("::", 8), ("192.0.2.7", 8)],
)
def test_callers_are_divided_only_where_other_machines_can_call(host: str, shares: int) -> None:
    assert fit_shares(8, host, Limits().unshared) == shares


def test_callers_are_divided_where_one_of_this_machine_has_a_limit() -> None:
    assert fit_shares(8, "127.0.0.1", ("127.0.0.1/32", "::1/128")) == 8


def test_no_more_than_wanted() -> None:
    assert fit_connections(2, 1024) == 2
