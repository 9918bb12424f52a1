"""C304: an address that cannot be called."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from centralized_ml_api.config.checks.local.characters import wrong_characters
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for local in context.locals("url"):
        url = local.text("url")
        reason = _reason(url.value) if url else ""
        if url and reason:
            yield RULE.problem(
                url.location,
                found=f"{quoted(url.value)}: {reason}",
                expected='an address such as "http://gpu-box:8000/invocations"',
                fix=f"write {quoted('http://' + url.value)}"
                if "://" not in url.value and url.value.strip()
                else "",
            )


def _reason(url: str) -> str:
    """What is wrong with the address; nothing when it can be called."""
    if reason := wrong_characters(url):
        return reason
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in {"http", "https"}:
        return "it does not begin with http:// or https://"
    if parts.username is not None:
        return "it carries a password"
    if parts.fragment:
        return "it has a # in it"
    return "" if host else "it has no host"


RULE = Rule(
    id="C304",
    title="malformed address",
    meaning="""\
`url` is the whole address that calls are sent to: `http://` or `https://`, a host, maybe a port, a path.
It holds printable ASCII only: everything else is written in percent escapes (`%C3%BC` for `ü`), and a `%`
itself as `%25`. It carries no user and password: the file is often shared.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "url", "url": "gpu-box:8000/invocations"}',
        right='"local": {"engine": "url", "url": "http://gpu-box:8000/invocations"}',
    ),
    check=_check,
)
