"""Requests reach the internet as the user's proxies say, and what goes wrong is said in a plain sentence."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
from urllib3.util import Timeout

from centralized_ml_api.http_client import (
    HttpError,
    IncompleteAnswerError,
    ProxyError,
    find_proxy,
    host_of,
    send_request,
)
from support.certificate import write_certificate
from support.file_server import Answer, FileServer
from support.proxy_server import ProxyServer, clear_proxies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = b"weights" * 1000
PROXY = "http://proxy.test:3128"
URL = "https://hub.test/model.gguf"


@pytest.fixture(autouse=True)
def no_proxies_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_proxies(monkeypatch)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(BODY) as running:
        yield running


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[FileServer]:
    """Answers over TLS with a certificate for `hub.test`, which `tmp_path/hub.pem` holds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_certificate(tmp_path / "hub.pem", "hub.test"))
    running = FileServer(BODY)
    running.serve_tls(context)
    with running:
        yield running


@pytest.fixture
def proxy(server: FileServer) -> Iterator[ProxyServer]:
    with ProxyServer(server.port, "me:p@ss: /wörd") as running:
        yield running


def get(url: str, timeout_seconds: float = 5) -> bytes:
    with send_request(url, {}, timeout=Timeout(connect=5, read=timeout_seconds)) as response:
        return response.read()


def failure_of(url: str) -> HttpError:
    with pytest.raises(HttpError) as caught:
        get(url)
    return caught.value


def authorization_of(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_a_request_is_forwarded_by_a_proxy_that_gets_the_password(
    server: FileServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url_with_credentials)
    assert get("http://hub.test/model.gguf") == BODY
    assert proxy.seen == ["http://hub.test/model.gguf"]
    assert "Proxy-Authorization" not in server.seen[0].headers


def test_https_goes_through_a_tunnel_whose_end_sees_no_password(
    tls_server: FileServer, proxy: ProxyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.upstream_port = tls_server.port
    monkeypatch.setenv("https_proxy", proxy.url_with_credentials)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "hub.pem"))
    assert get(URL) == BODY
    assert proxy.seen == ["hub.test:443"]
    assert "Proxy-Authorization" not in tls_server.seen[0].headers


@pytest.mark.parametrize("url", ["http://hub.test/x", "https://hub.test/x"])
def test_a_wrong_password_is_told_as_such_and_never_shown(
    proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    variable = f"{url.partition(':')[0]}_proxy"
    monkeypatch.setenv(variable, f"http://me:secret@127.0.0.1:{proxy.port}")
    error = failure_of(url)
    assert isinstance(error, ProxyError)
    assert error.message == f"the proxy 127.0.0.1:{proxy.port} refuses the user name or the password (407)"
    assert error.fix == (
        f"correct them in {variable}: http://USER:PASSWORD@HOST:PORT, special characters percent-encoded"
    )
    assert proxy.seen == []


@pytest.mark.parametrize("url", ["http://hub.test/x", "https://hub.test/x"])
def test_a_proxy_that_asks_for_a_password_is_told_as_such(
    proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("all_proxy", f"127.0.0.1:{proxy.port}")
    error = failure_of(url)
    assert error.message == f"the proxy 127.0.0.1:{proxy.port} requires a user name and a password (407)"
    assert error.fix.startswith("add them to all_proxy: ")


def test_a_proxy_that_does_not_connect_is_named_with_its_answer(
    proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.connect_status = 403
    monkeypatch.setenv("https_proxy", proxy.url_with_credentials)
    error = failure_of(URL)
    told = f"the proxy 127.0.0.1:{proxy.port} does not connect to hub.test: it answered 403 Forbidden"
    assert (error.message, error.fix) == (told, "check https_proxy and no_proxy")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://127.0.0.1:{port}", "the connection to the proxy 127.0.0.1:{port} was refused"),
        ("http://proxy.invalid:1", "the name of the proxy proxy.invalid cannot be resolved"),
    ],
)
def test_a_proxy_that_cannot_be_reached_is_named(
    monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        monkeypatch.setenv("https_proxy", address.format(port=port))
        assert failure_of(URL).message == message.format(port=port)


def test_an_https_proxy_that_speaks_plain_http_is_named(
    proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"https://127.0.0.1:{proxy.port}")
    error = failure_of(URL)
    assert isinstance(error, ProxyError)
    assert error.message.startswith(f"the TLS connection to the proxy 127.0.0.1:{proxy.port} failed: ")


def test_a_host_in_no_proxy_is_reached_directly(proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy.url_with_credentials)
    monkeypatch.setenv("no_proxy", "other.example, hub.invalid")
    assert failure_of("http://hub.invalid/x").message == "the name hub.invalid cannot be resolved"
    assert (proxy.seen, proxy.refused) == ([], 0)


def test_this_machine_is_reached_directly(
    server: FileServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url_with_credentials)
    assert get(f"{server.url}/x") == BODY
    assert (proxy.seen, proxy.refused) == ([], 0)


@pytest.mark.parametrize(
    ("no_proxy", "exempt"),
    [
        ("hub.test", True),
        ("HUB.test", True),
        (".test", True),
        ("test", True),
        ("hub.test:443", False),
        ("hub.test:8443", True),
        ("a.example,hub.test", True),
        ("a.example hub.test", True),
        ("*", True),
        ("est", False),
        ("other.hub.test", False),
        ("10.0.0.0/8", False),
        ("", False),
    ],
)
def test_no_proxy_lists_hosts_domains_and_ports(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, *, exempt: bool
) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (find_proxy("https://hub.test:8443/x") is None) == exempt


@pytest.mark.parametrize(
    ("no_proxy", "host", "exempt"),
    [
        ("10.0.0.0/8", "10.20.30.40", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("192.168.1.7", "192.168.1.7", True),
        ("fd00::/8", "[fd00::1]", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("fd00::2", "[fd00::1]", False),
    ],
)
def test_no_proxy_lists_addresses_and_networks(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str, *, exempt: bool
) -> None:
    monkeypatch.setenv("https_proxy", PROXY)
    monkeypatch.setenv("no_proxy", no_proxy)
    assert (find_proxy(f"https://{host}/x") is None) == exempt


@pytest.mark.parametrize(
    ("variables", "url", "chosen"),
    [
        ({"https_proxy": "http://a:1", "all_proxy": "http://b:2"}, URL, "http://a:1"),
        ({"http_proxy": "http://a:1", "ALL_PROXY": "http://b:2"}, URL, "http://b:2"),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:2"}, URL, "http://a:1"),
        ({"HTTPS_PROXY": "http://b:2"}, URL, "http://b:2"),
        ({"all_proxy": "socks5://c:3", "https_proxy": "http://a:1"}, URL, "http://a:1"),
        ({"http_proxy": "http://a:1"}, "http://hub.test/x", "http://a:1"),
        ({"https_proxy": "https://a:1"}, URL, "https://a:1"),
        ({"https_proxy": "HTTP://a:1/"}, URL, "http://a:1"),
        ({"https_proxy": "proxy:3128"}, URL, "http://proxy:3128"),
        ({"https_proxy": "me:word@proxy:3128"}, URL, "http://proxy:3128"),
        ({"https_proxy": "http://[fd00::1]:3128"}, URL, "http://[fd00::1]:3128"),
    ],
)
def test_the_variables_are_read_as_curl_and_pip_read_them(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, chosen: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = find_proxy(url)
    assert found
    assert found.url == chosen


def test_without_a_variable_there_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", PROXY)
    monkeypatch.setenv("https_proxy", "")
    assert find_proxy(URL) is None


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [("me:word", "me:word"), ("me", "me:"), ("DOM%5Cme:p%40ss%2Fw%C3%B6rd%25", "DOM\\me:p@ss/wörd%")],
)
def test_credentials_are_percent_decoded_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, credentials: str, sent: str
) -> None:
    monkeypatch.setenv("https_proxy", f"http://{credentials}@proxy.test:3128")
    found = find_proxy(URL)
    assert found
    assert (found.url, found.authorization) == (PROXY, authorization_of(sent))
    assert repr(found) == f"Proxy(url='{PROXY}', variable='https_proxy')"


@pytest.mark.parametrize("kind", ["socks5", "socks5h", "SOCKS4"])
@pytest.mark.parametrize("variable", ["https_proxy", "all_proxy"])
def test_a_socks_proxy_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, variable: str, kind: str
) -> None:
    monkeypatch.setenv(variable, f"{kind}://me:secret@127.0.0.1:1080")
    error = failure_of(URL)
    assert error.message == f"{variable} names a SOCKS proxy, and only HTTP proxies are supported"
    assert error.fix == "set https_proxy to an HTTP proxy, such as http://proxy.example.org:3128"


@pytest.mark.parametrize(
    "written", ["http://", "http://proxy:port", "http://me:se/cret@h:1", "me:se#cret@h:1", "http://h:99999"]
)
def test_what_is_no_address_of_a_proxy_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("https_proxy", written)
    error = failure_of(URL)
    assert error.message == "https_proxy is not the address of a proxy"
    assert error.fix == "write it as http://USER:PASSWORD@HOST:PORT, special characters percent-encoded"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://hub.invalid/x", "the name hub.invalid cannot be resolved"),
        ("http://a..b/x", "a..b is not a valid host name"),
        ("https://me:secret@hub.invalid:8443/x", "the name hub.invalid cannot be resolved"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_as_such(url: str, message: str) -> None:
    error = failure_of(url)
    assert (error.message, error.fix) == (
        message,
        "check the address and the network; behind a proxy, set https_proxy",
    )


def test_a_refused_connection_is_told_as_such() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert failure_of(f"http://127.0.0.1:{port}/").message == (
            f"the connection to 127.0.0.1:{port} was refused"
        )


def test_a_certificate_that_is_not_trusted_is_told_as_such(tls_server: FileServer) -> None:
    error = failure_of(f"https://127.0.0.1:{tls_server.port}/x")
    host = f"127.0.0.1:{tls_server.port}"
    assert error.message == f"the certificate of {host} is not trusted: self-signed certificate"
    assert "SSL_CERT_FILE" in error.fix


def test_a_certificate_for_another_name_is_told_as_such(
    tls_server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "hub.pem"))
    with ProxyServer(tls_server.port) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        assert (
            failure_of("https://other.test/x").message == "the certificate of other.test is for another name"
        )


def test_a_server_without_tls_is_told_as_such(server: FileServer) -> None:
    error = failure_of(f"https://127.0.0.1:{server.port}/x")
    assert error.message.startswith(f"the TLS connection to 127.0.0.1:{server.port} failed: ")


def test_a_server_that_says_nothing_is_told_as_such(server: FileServer) -> None:
    server.usual = Answer(silent=True)
    with pytest.raises(HttpError) as caught:
        get(f"{server.url}/x", timeout_seconds=0.1)
    assert caught.value.message == f"127.0.0.1:{server.port} did not answer in time"


def _hang_up(listening: socket.socket) -> None:
    listening.accept()[0].close()


def test_a_server_that_hangs_up_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        hanging_up = threading.Thread(target=_hang_up, args=(listening,))
        hanging_up.start()
        error = failure_of(f"http://127.0.0.1:{port}/x")
        hanging_up.join()
    assert error.message in {
        f"127.0.0.1:{port} closed the connection without a response",
        f"the connection to 127.0.0.1:{port} was reset",
    }


def test_an_answer_that_breaks_off_is_told_as_such(server: FileServer) -> None:
    server.usual = Answer(cut_after=10)
    with pytest.raises(IncompleteAnswerError) as caught:
        get(f"{server.url}/x")
    host = f"127.0.0.1:{server.port}"
    assert caught.value.message == f"the connection to {host} broke before the response was complete"


def test_an_answer_that_stops_is_told_as_such(server: FileServer) -> None:
    server.usual = Answer(hold_after=10)
    with pytest.raises(IncompleteAnswerError) as caught:
        get(f"{server.url}/x", timeout_seconds=0.1)
    assert caught.value.message == f"127.0.0.1:{server.port} stopped sending"


def test_a_redirect_is_not_followed(server: FileServer) -> None:
    server.usual = Answer(status=302, headers={"Location": "/elsewhere"})
    with send_request(f"{server.url}/x", {}, timeout=Timeout(5)) as response:
        assert response.status == 302
    assert [seen.target for seen in server.seen] == ["/x"]


def test_a_host_is_shown_without_the_password_in_its_address() -> None:
    assert host_of("https://me:secret@hub.test:8443/x") == "hub.test:8443"
