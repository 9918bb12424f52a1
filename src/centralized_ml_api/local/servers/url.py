"""`url`: a server that already runs, here or elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from centralized_ml_api.plan.types import UrlServing

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class UrlTarget:
    """Where calls go. `path` has the query, if there is one.

    Without `ping_url` the server is ready when its port accepts a connection.
    """

    host: str
    port: int
    tls: bool
    path: str
    ping_url: str | None


def parse_url(serving: UrlServing) -> UrlTarget:
    """Takes an address apart; `ping` may be a path on the same server or an address of its own.

    Raises:
        ValueError: it is no http or https address; the message says what is wrong.
    """
    parts = urlsplit(serving.url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"{serving.url} is not an http:// or https:// address")
    if parts.username or parts.password:
        raise ValueError("the address may not carry a user name or a password")
    query = f"?{parts.query}" if parts.query else ""
    return UrlTarget(
        host=parts.hostname,
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        tls=parts.scheme == "https",
        path=f"{parts.path or '/'}{query}",
        ping_url=urljoin(serving.url, serving.ping) if serving.ping else None,
    )
