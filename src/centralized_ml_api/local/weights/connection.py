"""One answer of a web server: through the user's proxies, following redirects, with reasons when it fails."""

from __future__ import annotations

import re
import urllib.request
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.util import Retry, Timeout, make_headers

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.partial import Head
from centralized_ml_api.local.weights.web_errors import explain_failure, explain_status

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

_PIECE_BYTES = 1 << 18
_MAX_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = (429, 500, 502, 503, 504)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SHA256_TAG = re.compile(r'"?([0-9a-f]{64})"?')
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

# Retry-After is not followed: a server may say an hour, and nobody should wait that long without a word.
_RETRY = Retry(
    total=4,
    connect=2,
    read=1,
    status=3,
    other=1,
    redirect=False,
    status_forcelist=_BUSY,
    raise_on_status=False,
    backoff_factor=0.5,
    respect_retry_after_header=False,
)
_ONCE = Retry(total=0, redirect=False, raise_on_status=False)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file is. `token` is sent to the host of `url` alone, never to one it redirects to."""

    url: str
    token: str = field(default="", repr=False)
    timeout_seconds: float = 30
    retry: Retry = _RETRY

    def asked_once(self) -> Address:
        """The same without a second attempt, for a question whose answer nobody waits long for."""
        return replace(self, retry=_ONCE)


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of an answer; the first piece has none, so that its head can be judged."""

    head: Head
    data: bytes


def receive(address: Address, headers: Mapping[str, str]) -> Generator[Piece, None, None]:
    """Asks for a file and yields its bytes.

    Raises:
        WeightsError: the server cannot be reached or refuses.
        urllib3.exceptions.HTTPError: the connection broke after the head.
    """
    with _open(address, headers) as (response, head):
        yield Piece(head, b"")
        # The bytes as they are: a file that is stored compressed stays so.
        for data in response.stream(_PIECE_BYTES, decode_content=False):
            yield Piece(head, data)


@contextmanager
def _open(address: Address, headers: Mapping[str, str]) -> Iterator[tuple[urllib3.BaseHTTPResponse, Head]]:
    url, sha256 = address.url, None
    for _ in range(_MAX_REDIRECTS):
        with _pool(address, url) as pool:
            response = _request(pool, address, url, headers)
            with closing(response):
                sha256 = sha256 or _linked_sha256(response, address, url)
                if response.status not in _REDIRECTS:
                    yield response, _read_head(response, url, sha256, ranged="Range" in headers)
                    return
                url = _follow(url, response.headers.get("Location", ""))
    raise WeightsError(
        f"{_host(address.url)} redirects more than {_MAX_REDIRECTS} times", fix="check the address"
    )


@contextmanager
def _pool(address: Address, url: str) -> Iterator[urllib3.PoolManager]:
    timeout = Timeout(connect=min(10, address.timeout_seconds), read=address.timeout_seconds)
    proxy = _proxy_for(url)
    if proxy:
        credentials = urlsplit(proxy)
        auth = f"{credentials.username}:{credentials.password or ''}" if credentials.username else None
        pool: urllib3.PoolManager = urllib3.ProxyManager(
            proxy,
            proxy_headers=make_headers(proxy_basic_auth=auth),
            retries=address.retry,
            timeout=timeout,
        )
    else:
        pool = urllib3.PoolManager(retries=address.retry, timeout=timeout)
    with pool:
        yield pool


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment names for an address, as curl would take it; none for this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not proxy.startswith(("http://", "https://")):
        if "://" in proxy:
            raise WeightsError(
                f"weights cannot be fetched through a {proxy.partition('://')[0]} proxy",
                fix="name an http proxy in https_proxy",
            )
        proxy = f"http://{proxy}"
    return proxy


def _request(
    pool: urllib3.PoolManager, address: Address, url: str, headers: Mapping[str, str]
) -> urllib3.BaseHTTPResponse:
    sent = {"User-Agent": "mlapi", "Accept-Encoding": "identity", **headers}
    if address.token and _origin(url) == _origin(address.url):
        sent["Authorization"] = f"Bearer {address.token}"
    try:
        return pool.request("GET", url, headers=sent, preload_content=False, redirect=False)
    except urllib3.exceptions.HTTPError as exc:
        raise explain_failure(exc, _host(url)) from exc


def _read_head(response: urllib3.BaseHTTPResponse, url: str, sha256: str | None, *, ranged: bool) -> Head:
    match response.status:
        case 200:
            return Head(None, _length(response), _validator(response), sha256)
        case 206 if ranged:
            found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
            total = int(found[2]) if found and found[2] != "*" else None
            return Head(int(found[1]) if found else -1, total, _validator(response), sha256)
        case 416 if ranged:
            return Head(sha256=sha256, past_end=True)
        case status:
            raise explain_status(status, url, response.headers)


def _follow(url: str, location: str) -> str:
    target = urljoin(url, location)
    here, there = urlsplit(url), urlsplit(target)
    stays_local = here.scheme == "http" and there.scheme == "http" and there.hostname in LOOPBACK
    if not location or not (there.scheme == "https" or stays_local):
        raise WeightsError(
            f"{here.netloc} redirects to {there.scheme or 'no'}://{there.netloc}, which is not https",
            fix="name an address that is served over https all the way",
        )
    return target


def _linked_sha256(response: urllib3.BaseHTTPResponse, address: Address, url: str) -> str | None:
    """The digest that the Hugging Face hub gives for a large file, in the answer that redirects to its CDN.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/file_download (HfFileMetadata.etag).
    """
    if _origin(url) != _origin(address.url):
        return None
    found = _SHA256_TAG.fullmatch(response.headers.get("X-Linked-Etag", ""))
    return found[1] if found else None


def _length(response: urllib3.BaseHTTPResponse) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _validator(response: urllib3.BaseHTTPResponse) -> str:
    tag = str(response.headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified", ""))


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _host(url: str) -> str:
    return urlsplit(url).netloc
