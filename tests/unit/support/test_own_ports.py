"""The ports that tests take only later."""

from __future__ import annotations

import socket

import pytest

from support import own_ports as module
from support.own_ports import own_ports


@pytest.mark.parametrize(("worker", "first"), [("gw0", 11_000), ("gw2", 13_000), ("gw10", 12_000)])
def test_a_worker_gets_ports_of_its_own_none_of_them_twice_in_a_row(
    monkeypatch: pytest.MonkeyPatch, worker: str, first: int
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    ports = [own_ports() for _ in range(50)]
    assert len({*ports}) == 50
    assert all(first <= port < first + 1_000 for port in ports)


def test_several_ports_are_in_a_row_and_all_of_them_free(monkeypatch: pytest.MonkeyPatch) -> None:
    start = own_ports(4)
    offset = start % 1_000
    monkeypatch.setattr(
        module, "_numbers", iter([*range(offset, offset + 4)] * 2 + [*range(offset + 2, offset + 4)])
    )
    with socket.create_server(("127.0.0.1", start + 1)):
        assert own_ports(2) == start + 2


def test_the_last_port_of_a_worker_and_its_first_are_not_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_numbers", iter([998, 999, 999, 1_000, 5, 6]))
    monkeypatch.setattr(module, "_is_free", lambda port: port % 1_000 != 998)
    assert own_ports(2) % 1_000 == 5
