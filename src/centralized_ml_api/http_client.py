"""Requests to the internet: one pool of connections, the proxies of the environment, failures in plain words.

Everything that goes wrong is an `HttpError` whose message can be shown as it is; no message has a password.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import ssl
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import exceptions
from urllib3.util import Retry, Timeout

from centralized_ml_api.errors import MlApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ONCE = Retry(0, redirect=False, raise_on_status=False)
"""No second attempt."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_CONNECTIONS_PER_HOST = 16
_CHECK_NETWORK = "check the address and the network; behind a proxy, set https_proxy"
_CA_BUNDLE_FIX = (
    "if a proxy of your organization signs certificates anew, name its CA certificates in SSL_CERT_FILE"
)
_PROXY_FORM = "http://USER:PASSWORD@HOST:PORT, special characters percent-encoded"
_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3}) ?(.*)")
_HOSTNAME_MISMATCH = 62
"""Source: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/ (X509_V_ERR_HOSTNAME_MISMATCH)."""


class HttpError(MlApiError):
    """A request that was not answered."""


class ProxyError(HttpError):
    """The proxy that the environment names cannot be used, or it refuses."""


class IncompleteAnswerError(HttpError):
    """An answer that began and did not come to its end."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: its address without credentials, and the environment variable that names it.

    `authorization` is the value of the header Proxy-Authorization, empty without a user name.
    """

    url: str
    variable: str
    authorization: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """Host and port, for messages."""
        return host_of(self.url)


@contextmanager
def send_request(
    url: str,
    headers: Mapping[str, str],
    *,
    timeout: Timeout,
    retry: Retry = ONCE,
    method: str = "GET",
    body: bytes | None = None,
    direct: bool = False,
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Sends a request and yields the answer, its body not yet read; redirects are not followed.

    Args:
        url: An http or https address.
        headers: Added to User-Agent and Accept-Encoding, or in place of these.
        timeout: Of connecting, and of each wait for bytes.
        retry: Which failures are worth another attempt, and how many.
        method: The HTTP method.
        body: The request's body.
        direct: Whether no proxy is used, whatever the environment names.

    Raises:
        ProxyError: The proxy cannot be used.
        HttpError: There is no answer.
        IncompleteAnswerError: The answer broke off while it was read inside the `with`.
    """
    proxy = None if direct else find_proxy(url)
    try:
        response = _pool(proxy).request(
            method,
            url,
            body=body,
            headers={"User-Agent": "mlapi", "Accept-Encoding": "identity", **headers},
            timeout=timeout,
            retries=retry,
            redirect=False,
            preload_content=False,
        )
    except (exceptions.HTTPError, OSError, ValueError) as error:
        raise _explain(error, url, proxy) from error
    with closing(response):
        if proxy and response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            raise _refused_credentials(proxy)
        try:
            yield response
        except exceptions.HTTPError as error:
            raise _explain_break(error, host_of(url)) from error


def host_of(url: str) -> str:
    """Returns host and port of an address as written there, without user name and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def find_proxy(url: str) -> Proxy | None:
    """Returns the proxy that the environment names for an address, as curl and pip read it; None for none.

    `https_proxy` or `http_proxy`, by the scheme of the address, wins over `all_proxy`, and lower case over
    upper case. Hosts, domains and networks (`10.0.0.0/8`) in `no_proxy` are reached directly, and so is this
    machine.

    Source: https://curl.se/docs/manpage.html#ENVIRONMENT and
    https://pip.pypa.io/en/stable/user_guide/#using-a-proxy-server

    Raises:
        ProxyError: The variable does not name an HTTP proxy.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    settings = getproxies()
    chosen = parts.scheme if settings.get(parts.scheme) else "all"
    if not settings.get(chosen) or host in LOOPBACK:
        return None
    if _is_exempt(host, parts.port, settings.get("no", "")) or proxy_bypass(host):
        return None
    return _parse_proxy(settings[chosen], variable=f"{chosen}_proxy", scheme=parts.scheme)


def _is_exempt(host: str, port: int | None, no_proxy: str) -> bool:
    names = (f".{host}", f".{host}:{port}")
    entries = no_proxy.lower().replace(",", " ").split()
    return any(
        entry == "*" or any(name.endswith(f".{entry.lstrip('.')}") for name in names) or _covers(entry, host)
        for entry in entries
    )


def _covers(entry: str, host: str) -> bool:
    """Returns whether `entry` is a network, or a single address, that holds the address `host`."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False


def _parse_proxy(written: str, *, variable: str, scheme: str) -> Proxy:
    kind, separator, rest = written.rpartition("://")
    kind = kind.lower() if separator else "http"
    if kind not in {"http", "https"}:
        named = "a SOCKS proxy" if kind.startswith("socks") else "a proxy that does not speak HTTP"
        raise ProxyError(
            f"{variable} names {named}, and only HTTP proxies are supported",
            fix=f"set {scheme}_proxy to an HTTP proxy, such as http://proxy.example.org:3128",
        )
    try:
        parts = urlsplit(f"{kind}://{rest}")
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0) and "@" not in parts.path
    except ValueError:
        usable = False
    if not usable or "@" in f"{parts.query}{parts.fragment}":
        raise ProxyError(f"{variable} is not the address of a proxy", fix=f"write it as {_PROXY_FORM}")
    address = f"{kind}://{parts.netloc.rpartition('@')[2]}"
    if parts.username is None:
        return Proxy(address, variable)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(address, variable, f"Basic {base64.b64encode(credentials).decode()}")


@cache
def _pool(proxy: Proxy | None) -> urllib3.PoolManager:
    """Returns the connections through one proxy, or through none; they are kept until the process ends."""
    if proxy is None:
        return urllib3.PoolManager(maxsize=_CONNECTIONS_PER_HOST)
    headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
    return urllib3.ProxyManager(proxy.url, maxsize=_CONNECTIONS_PER_HOST, proxy_headers=headers)


def _explain(error: Exception, url: str, proxy: Proxy | None) -> HttpError:
    cause = error.reason if isinstance(error, exceptions.MaxRetryError) and error.reason else error
    match cause:
        case exceptions.ProxyError() if proxy:
            return _explain_proxy(cause.original_error, host_of(url), proxy)
        case exceptions.SSLError():
            reason, fix = _explain_tls(cause, host_of(url))
            return HttpError(reason, fix=fix)
        case exceptions.ReadTimeoutError():
            return HttpError(f"{host_of(url)} did not answer in time")
        case exceptions.ProtocolError():
            return HttpError(f"{host_of(url)} closed the connection without a response")
        case _:
            return HttpError(_connect_reason(cause, url), fix=_CHECK_NETWORK)


def _explain_proxy(cause: Exception, host: str, proxy: Proxy) -> ProxyError:
    status = _TUNNEL_STATUS.search(str(cause))
    if status and int(status[1]) == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _refused_credentials(proxy)
    if status:
        said = " ".join(status.groups()).strip()
        reason = f"the proxy {proxy.name} does not connect to {host}: it answered {said}"
    elif isinstance(cause, exceptions.SSLError):
        reason = _explain_tls(cause, f"the proxy {proxy.name}")[0]
    else:
        reason = _connect_reason(cause, proxy.url, what="the proxy ")
    return ProxyError(reason, fix=f"check {proxy.variable} and no_proxy")


def _refused_credentials(proxy: Proxy) -> ProxyError:
    if proxy.authorization:
        message = f"the proxy {proxy.name} refuses the user name or the password (407)"
        return ProxyError(message, fix=f"correct them in {proxy.variable}: {_PROXY_FORM}")
    message = f"the proxy {proxy.name} requires a user name and a password (407)"
    return ProxyError(message, fix=f"add them to {proxy.variable}: {_PROXY_FORM}")


def _explain_break(error: exceptions.HTTPError, host: str) -> IncompleteAnswerError:
    if isinstance(error, exceptions.TimeoutError):
        return IncompleteAnswerError(f"{host} stopped sending")
    return IncompleteAnswerError(f"the connection to {host} broke before the response was complete")


def _connect_reason(cause: Exception, url: str, what: str = "") -> str:
    """Returns in a sentence why there is no connection to the host of `url`."""
    host = f"{what}{host_of(url)}"
    match cause:
        case exceptions.LocationValueError():
            return f"{host or 'an empty text'} is not a valid host name"
        case exceptions.NameResolutionError():
            return f"the name {'of ' if what else ''}{what}{urlsplit(url).hostname} cannot be resolved"
        case _:
            return f"the connection to {host} {_outcome(cause.__cause__ or cause)}"


def _outcome(error: BaseException) -> str:
    match error:
        case ConnectionRefusedError():
            return "was refused"
        case ConnectionError():
            return "was reset"
        case exceptions.TimeoutError() | TimeoutError():
            return "timed out"
        case OSError(strerror=str(words)):
            return f"failed: {words[:1].lower()}{words[1:]}"
        case _:
            return "failed"


def _explain_tls(error: exceptions.SSLError, host: str) -> tuple[str, str]:
    """Returns in a sentence why there is no TLS connection to `host`, and how to fix it."""
    match error.args[0] if error.args else None:
        case ssl.SSLCertVerificationError(verify_code=code) if code == _HOSTNAME_MISMATCH:
            return f"the certificate of {host} is for another name", _CHECK_NETWORK
        case ssl.SSLCertVerificationError(verify_message=str(words)):
            return f"the certificate of {host} is not trusted: {words}", _CA_BUNDLE_FIX
        case ssl.SSLError(reason=str(words)):
            reason = words.lower().replace("_", " ")
            return f"the TLS connection to {host} failed: {reason}", _CHECK_NETWORK
        case _:
            return f"the TLS connection to {host} failed", _CHECK_NETWORK
