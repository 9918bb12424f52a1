from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.weights.pip_errors import explain_output

if TYPE_CHECKING:
    from pathlib import Path

# What pip 25 and 26 print, shortened.
OUTPUTS = {
    "no pip": (["/usr/bin/python3: No module named pip"], "pip is missing", "ensurepip"),
    "disk": (
        ["ERROR: Could not install: [Errno 28] No space left on device"],
        "no room for x==1",
        "MLAPI_CACHE",
    ),
    "name": (
        [
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NameResolutionError(\"…\")'",
            "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)",
        ],
        "its name cannot be resolved",
        "https_proxy",
    ),
    "certificate": (
        ["WARNING: … SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] …'"],
        "certificate is not trusted",
        "PIP_CERT",
    ),
    "credentials": (["ERROR: HTTP error 401 while getting https://…"], "requires a user name", "netrc"),
    "hashes": (
        ["ERROR: Hashes are required in --require-hashes mode, but they are missing", ""],
        "Hashes are required",
        "pip config list",
    ),
    "nothing": ([], "it said nothing", "pip config list"),
}


@pytest.mark.parametrize(("output", "message", "fix"), OUTPUTS.values(), ids=OUTPUTS)
def test_what_pip_says_becomes_one_line_and_a_fix(
    tmp_path: Path, output: list[str], message: str, fix: str
) -> None:
    error = explain_output(output, "x==1", tmp_path)
    assert message in error.message
    assert fix in error.fix
    assert "\n" not in error.message
