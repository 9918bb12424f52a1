"""The server of an address, as the engine `url` writes it. Pure."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from centralized_ml_api.record import record

_DEFAULT_PORTS = {"http": 80, "https": 443}


@record
class UrlTarget:
    """Names the server behind a URL. Without a `ping_url`, it is ready when its port accepts a connection."""

    host: str
    port: int
    tls: bool
    ping_url: str | None


def parse_url_target(url: str, ping: str | None) -> UrlTarget:
    """Parses an address.

    Args:
        url: The address that takes calls.
        ping: Where its health is asked: a path on that server, or an address of its own.

    Raises:
        ValueError: It is not an http or https address; the message says what is wrong.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"{url} is not an http:// or https:// address")
    if parts.username or parts.password:
        raise ValueError("the address may not carry a user name or a password")
    return UrlTarget(
        host=parts.hostname,
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        tls=parts.scheme == "https",
        ping_url=urljoin(url, ping) if ping else None,
    )
