"""Reads from pip's output why it failed, in a few words and with a fix. Pure."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOW_SETTINGS = "`pip config list` shows the settings"

_FULL = ("No space left on device", "Disk quota exceeded")
_ERROR = "error: "
_CRASHED = "error: exception:"
"""Before a traceback of pip's own, whose last line says more."""

# What pip prints when no index could be asked; the first mark that is found explains the failure.
_CONNECTION = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate is not trusted",
        "set PIP_CERT to the certificates of your organization",
    ),
    ("NameResolutionError", "its name cannot be resolved", "check the network, or set https_proxy"),
    ("Failed to resolve", "its name cannot be resolved", "check the network, or set https_proxy"),
    ("ProxyError", "the proxy does not work", "check https_proxy"),
    ("ConnectTimeoutError", "it does not answer", "check the network, or set https_proxy"),
    ("ReadTimeoutError", "it does not answer", "try again, or set PIP_DEFAULT_TIMEOUT to more seconds"),
    ("NewConnectionError", "it cannot be reached", "check the network, or set https_proxy"),
    ("401 ", "it requires a user name and a password", "put them where pip finds them, such as ~/.netrc"),
    ("403 ", "it refuses (403)", "ask those who run it"),
)


@record
class PipFailure:
    """Why pip failed.

    Attributes:
        cause: What failed; "other" where only pip's own words tell.
        reason: The reason, for the second half of a message.
        fix: What to do; empty where the caller knows best.
    """

    cause: Literal["full", "no pip", "index", "other"]
    reason: str
    fix: str = ""


def read_failure(output: Sequence[str]) -> PipFailure:
    """Returns why pip failed, from its output without its progress."""
    text = "\n".join(output)
    if any(mark in text for mark in _FULL):
        return PipFailure("full", "pip ran out of space")
    if "No module named pip" in text:
        fix = "install it: `python -m ensurepip`, or `uv pip install pip`"
        return PipFailure("no pip", f"pip is missing from {sys.prefix}", fix)
    for mark, meaning, fix in _CONNECTION:
        if mark in text:
            return PipFailure(
                "index", f"pip cannot ask a package index: {meaning}", f"{fix}; {SHOW_SETTINGS}"
            )
    return PipFailure("other", _last_error(output))


def _last_error(output: Sequence[str]) -> str:
    lines = [line.strip() for line in output if line.strip()] or ["pip said nothing"]
    errors = [line for line in lines if line.lower().startswith(_ERROR) and line.lower() != _CRASHED]
    return errors[-1][len(_ERROR) :] if errors else lines[-1]
