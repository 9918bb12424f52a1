from __future__ import annotations

import pytest

from centralized_ml_api.local.machine.http_head import HEAD_END, read_head


def test_a_head_is_read_with_its_end_and_without() -> None:
    text = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nSET-COOKIE: A:b \r\nset-cookie:c"
    head = read_head(text)
    assert (head.version, head.status, head.is_ok) == ("http/1.1", 200, True)
    assert head.headers == (("server", "nginx"), ("set-cookie", "A:b"), ("set-cookie", "c"))
    assert (head.header("set-cookie"), head.header("server"), head.header("date")) == ("c", "nginx", "")
    assert read_head(text + HEAD_END) == head


def test_what_is_not_utf_8_stays_what_it_is() -> None:
    value = read_head("HTTP/1.1 200 OK\r\na: é".encode() + b"\xff").header("a")
    assert value.encode("utf-8", "surrogateescape") == "é".encode() + b"\xff"


@pytest.mark.parametrize(("status", "is_ok"), [(199, False), (200, True), (299, True), (300, False)])
def test_success_is_2xx(status: int, *, is_ok: bool) -> None:
    assert read_head(f"HTTP/1.1 {status}".encode()).is_ok is is_ok


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Close", True),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive", False),
        (b"HTTP/1.0 200 OK", True),
    ],
)
def test_an_older_version_closes_and_so_does_who_says_so(head: bytes, *, closes: bool) -> None:
    assert read_head(head).says_it_closes is closes


@pytest.mark.parametrize(
    "head", [b"", b"SSH-2.0-OpenSSH_9.2", b"HTTP/1.1", b"HTTP/1.1 OK", b" HTTP/1.1 200 OK"]
)
def test_anything_else_is_not_http(head: bytes) -> None:
    with pytest.raises(ValueError, match=r"not HTTP|invalid literal"):
        read_head(head)
