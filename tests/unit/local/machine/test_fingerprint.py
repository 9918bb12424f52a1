"""What counts as an edit of a function's folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.machine.fingerprint import GONE, fingerprint
from centralized_ml_api.local.machine.state_folder import Run, StateFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["index.py", "part/data.bin", os.fsdecode(b"not-utf8-\xff")])
def test_a_changed_added_or_removed_file_does(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    seen = [fingerprint(tmp_path)]
    file.parent.mkdir(exist_ok=True)
    file.write_text("one")
    seen.append(fingerprint(tmp_path))
    file.write_text("another")
    seen.append(fingerprint(tmp_path))
    assert len(set(seen)) == 3
    file.unlink()
    assert fingerprint(tmp_path) == seen[0]


@pytest.mark.parametrize(
    "name", [".git/index", "__pycache__/index.pyc", ".venv/x.py", "node_modules/x.js", ".swp"]
)
def test_hidden_files_and_caches_do_not(tmp_path: Path, name: str) -> None:
    before = fingerprint(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    assert fingerprint(tmp_path) == before


def test_our_own_state_folder_within_does_not(tmp_path: Path) -> None:
    before = fingerprint(tmp_path)
    with StateFolder(tmp_path / "state") as state:
        state.write_run(Run.of_this_process("models.json"))
        (state.model_logs / "echo.function.log").write_text("its own words")
        assert fingerprint(tmp_path) == before


def test_a_link_to_nowhere_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert fingerprint(tmp_path)
    assert fingerprint(tmp_path / "nowhere") == GONE
