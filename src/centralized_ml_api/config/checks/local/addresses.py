"""The URLs and paths that a local server is called at: whether an HTTP request to them can be written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")


def _wrong_characters(written: str) -> str:
    """Says why a client or server would refuse the text in the first line of a request; empty if it is fine.

    Source: RFC 3986, sections 2.1 (percent escapes) and 2.2 (ASCII only).
    """
    if any(character.isspace() for character in written):
        return "it contains a space"
    if not written.isascii():
        return "it contains a character outside ASCII"
    if not written.isprintable():
        return "it contains a control character"
    escape = _BAD_ESCAPE.search(written)
    return f"{escape[0]} is not a percent escape" if escape else ""


def _check_urls(context: Context) -> Iterator[Problem]:
    providers = (provider for provider in context.providers if provider.path[-1] == "provider")
    for part in (*context.locals_with("url"), *providers):
        url = part.string("url")
        reason = _why_malformed_url(url.value) if url else ""
        if url and reason:
            lacks_scheme = "://" not in url.value and url.value.strip()
            yield MALFORMED_URL.problem(
                url.location,
                found=f"{quoted(url.value)}: {reason}",
                expected='a URL such as "http://gpu-box:8000/invocations"',
                fix=write(f"http://{url.value}") if lacks_scheme else "",
            )


def _why_malformed_url(url: str) -> str:
    if reason := _wrong_characters(url):
        return reason
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in {"http", "https"}:
        return "it does not begin with http:// or https://"
    if parts.username is not None:
        return "it contains a user name or a password"
    if parts.fragment:
        return "it contains a #"
    return "" if host else "it has no host"


MALFORMED_URL = CheckedRule(
    id="C304",
    title="malformed URL",
    meaning="""\
`url` is the whole URL that calls are sent to: `http://` or `https://`, a host, optionally a port, and a
path. It consists of printable ASCII characters; write all others as percent escapes (`%C3%BC` for `ü`),
and a `%` itself as `%25`. It contains no user name and no password, because configs are often shared.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "url", "url": "gpu-box:8000/invocations"}',
        right='"local": {"engine": "url", "url": "http://gpu-box:8000/invocations"}',
    ),
    check=_check_urls,
)


def _check_paths(context: Context) -> Iterator[Problem]:
    for key in ("ping", "invocations"):
        for local in context.locals_with(key):
            path = local.string(key)
            reason = _why_malformed_path(path.value) if path else ""
            if path and reason:
                slashed = f"/{path.value}"
                is_path = path.value and "://" not in path.value and not _why_malformed_path(slashed)
                yield MALFORMED_PATH.problem(
                    path.location,
                    found=f"{quoted(path.value)}: {reason}",
                    expected='a path that begins with "/", such as "/health"',
                    fix=write(slashed) if is_path else "",
                )


def _why_malformed_path(path: str) -> str:
    if reason := _wrong_characters(path):
        return reason
    if not path.startswith("/"):
        return "it does not begin with /"
    return "it contains a #" if "#" in path else ""


MALFORMED_PATH = CheckedRule(
    id="C305",
    title="malformed path",
    meaning="""\
`ping` and `invocations` are paths on the server itself: they begin with `/`, have no host, and consist of
printable ASCII characters. Write all others as percent escapes (`%C3%BC` for `ü`), and a `%` itself as
`%25`.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "command", "run": ["serve", "{port}"], "ping": "health"}',
        right='"local": {"engine": "command", "run": ["serve", "{port}"], "ping": "/health"}',
    ),
    check=_check_paths,
)

RULES = (MALFORMED_URL, MALFORMED_PATH)
