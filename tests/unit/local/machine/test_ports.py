"""Ports: a taken one is reported with its holder."""

from __future__ import annotations

import os
import re
import socket

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.port_holders import find_holder
from centralized_ml_api.local.machine.ports import (
    bind_loopback,
    check_port,
    free_pair,
    free_port,
    quiet_port,
    reachable_addresses,
    reachable_urls,
    shown_url,
    url_of,
)


def test_a_taken_port_names_its_holder_and_another_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError) as caught:
            check_port("127.0.0.1", port)
        assert f"port {port} is held by" in caught.value.message
        assert f"(pid {os.getpid()})" in caught.value.message
        assert re.search(r"--port \d+ ", caught.value.fix)


def test_a_free_port_can_be_had() -> None:
    check_port("127.0.0.1", free_port())
    check_port("127.0.0.1", 0)


def test_a_free_port_comes_with_the_next_one_and_is_none_that_systems_give_away() -> None:
    ports = {free_pair() for _ in range(20)}
    assert len(ports) > 1, "two programs that look at once hardly find the same"
    for port in ports:
        check_port("127.0.0.1", port)
        check_port("127.0.0.1", port + 1)
        assert 20_000 <= port < port + 1 < 32_000


def test_who_listens_only_later_gets_a_port_that_systems_give_to_nobody() -> None:
    ports = {quiet_port() for _ in range(20)}
    assert len(ports) > 1, "two servers that start at once hardly get the same"
    for port in ports:
        check_port("127.0.0.1", port)
        assert 20_000 <= port < 32_000


def test_a_foreign_address_is_a_clear_error() -> None:
    with pytest.raises(StartError, match=r"192\.0\.2\.1 is not an address of this machine"):
        check_port("192.0.2.1", 0)


def test_others_are_told_the_addresses_of_this_machine_never_loopback() -> None:
    for loopback in ("127.0.0.1", "127.0.0.2", "::1", "localhost"):
        assert reachable_addresses(loopback) == ()
    assert reachable_addresses("192.0.2.7") == ("192.0.2.7",)
    assert "127.0.0.1" not in reachable_addresses("0.0.0.0")
    assert reachable_urls("127.0.0.1", "http://127.0.0.1:80") == ()
    assert reachable_urls("192.0.2.7", "http://192.0.2.7:80") == ("http://192.0.2.7:80",)
    assert reachable_urls("2001:db8::7", "https://[::1]:80") == ("https://[2001:db8::7]:80",)
    assert len(reachable_urls("0.0.0.0", "http://127.0.0.1:80")) == len(reachable_addresses("0.0.0.0"))


def test_others_call_a_host_name_as_this_machine_does() -> None:
    assert reachable_urls("192.0.2.7", "https://hack.example.org:443") == ("https://hack.example.org:443",)
    assert reachable_urls("127.0.0.1", "https://hack.example.org:443") == ()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # shown, not listened on
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("192.168.1.2", "http://192.168.1.2:80"),
    ],
)
def test_the_address_that_is_shown_works_on_this_machine(host: str, address: str) -> None:
    assert shown_url(host, 80) == address


def test_a_certificates_name_is_shown_in_place_of_an_address() -> None:
    assert (
        shown_url("0.0.0.0", 443, scheme="https", name="hack.example.org") == "https://hack.example.org:443"
    )


def test_nobody_holds_a_free_port() -> None:
    assert find_holder(free_port()) is None


def test_the_other_port_that_is_named_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(StartError) as caught:
            check_port("127.0.0.1", taken.getsockname()[1])
        named = re.search(r"--port (\d+) ", caught.value.fix)
        assert named is not None
        check_port("127.0.0.1", int(named[1]))


def test_a_listener_gets_the_port_it_prefers_or_else_any() -> None:
    preferred = free_port()
    with bind_loopback(preferred) as first, bind_loopback(preferred) as second, bind_loopback(99999) as third:
        assert url_of(first) == f"http://127.0.0.1:{preferred}"
        assert len({url_of(listening) for listening in (first, second, third)}) == 3
