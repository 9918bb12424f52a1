"""Which folders share an environment, and why packages could not be installed, from what pip said."""

from __future__ import annotations

from pathlib import Path

import pytest

from centralized_ml_api.local.python_engine.requirements import build_key, explain_failure
from support.python_model import write_model

SOURCE = "def model_fn(model_dir): return 1"
REQUIREMENTS = Path("/somewhere/models/ocr/requirements.txt")
NOT_FOUND = """\
Looking in indexes: https://index.example
ERROR: Could not find a version that satisfies the requirement nothing==1 (from versions: none)
ERROR: No matching distribution found for nothing==1
"""
NOT_BUILT = """\
  error: subprocess-exited-with-error
note: This is an issue with the package mentioned above, not pip.
error: metadata-generation-failed
"""
NOT_REACHED = """\
WARNING: Retrying after connection broken by 'NameResolutionError("Failed to resolve 'index.example'")'
ERROR: No matching distribution found for numpy
"""


def key_of(folder: Path, requirements: str | None) -> str:
    return build_key(write_model(folder, SOURCE, requirements))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("numpy==2.0", "numpy==2.0"),
        ("numpy==2.0", "# why\n\nnumpy==2.0  # because\n"),
        (None, None),
        (None, "#"),
    ],
)
def test_folders_whose_requirements_mean_the_same_share_one(
    tmp_path: Path, first: str | None, second: str | None
) -> None:
    assert key_of(tmp_path / "a", first) == key_of(tmp_path / "b", second)


@pytest.mark.parametrize(
    ("first", "second"), [("numpy", "numpy==2.0"), (None, "numpy"), ("a\nb", "b\na"), ("a#b", "a #b")]
)
def test_other_requirements_are_another_environment(
    tmp_path: Path, first: str | None, second: str | None
) -> None:
    assert key_of(tmp_path / "a", first) != key_of(tmp_path / "b", second)


@pytest.mark.parametrize("refers", ["-r more.txt", "--requirement=more.txt", "-c more.txt", "-rmore.txt"])
def test_a_file_that_is_referred_to_counts(tmp_path: Path, refers: str) -> None:
    code = write_model(tmp_path / "model", SOURCE, refers)
    more = code / "more.txt"
    more.write_text("numpy==1")
    before = build_key(code)
    more.write_text("numpy==2")
    assert build_key(code) != before


def test_files_that_refer_to_each_other_end(tmp_path: Path) -> None:
    code = write_model(tmp_path / "model", SOURCE, "-r more.txt")
    (code / "more.txt").write_text("-r requirements.txt\nnumpy")
    assert build_key(code)


@pytest.mark.parametrize("line", ["./lib", "-e ./lib", "own @ file://{folder}/lib", "--find-links ./lib"])
def test_a_package_on_this_machine_counts_with_its_content_and_place(tmp_path: Path, line: str) -> None:
    codes = [tmp_path / "a", tmp_path / "b"]
    for code in codes:
        write_model(code, SOURCE, line.format(folder=code))
        (code / "lib").mkdir()
        (code / "lib" / "module.py").write_text("1")
    first, second = (build_key(code) for code in codes)
    assert first != second
    (codes[0] / "lib" / "module.py").write_text("other")
    assert build_key(codes[0]) != first


def test_the_code_itself_does_not_count(tmp_path: Path) -> None:
    before = key_of(tmp_path / "model", "numpy")
    write_model(tmp_path / "model", "another = True")
    assert build_key(tmp_path / "model") == before


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (NOT_FOUND, "could not be installed: No matching distribution found for nothing==1"),
        (NOT_BUILT, "could not be installed: metadata-generation-failed"),
        (NOT_REACHED, "could not be installed: pip cannot ask a package index: its name cannot be resolved"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "no room for",
        ),
        ("/usr/bin/python: No module named pip", "pip is missing from"),
        ("ERROR: Exception:\nTraceback:\nKeyError: 'name'", "could not be installed: KeyError: 'name'"),
        ("Killed", "could not be installed: Killed"),
        ("", "could not be installed: pip said nothing"),
    ],
)
def test_the_reason_is_pips_own_where_we_know_none_better(output: str, reason: str) -> None:
    error = explain_failure(output.splitlines(), REQUIREMENTS)
    assert reason in error.message
    assert "the packages of ocr/requirements.txt" in error.message
    assert error.fix
