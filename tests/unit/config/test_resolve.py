"""Where relative paths lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.resolve import find_root, resolve_folder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_relative_folder_lies_in_the_root_or_else_beside_the_config(tmp_path: Path) -> None:
    root, beside = tmp_path / "root", tmp_path / "root/config"
    (beside / "function").mkdir(parents=True)
    assert resolve_folder("function", (root, beside)) == beside / "function"
    (root / "function").mkdir()
    assert resolve_folder("function", (root, beside)) == root / "function"
    assert resolve_folder("nowhere", (root, beside)) == root / "nowhere"
    assert resolve_folder(str(tmp_path), (root, beside)) == tmp_path


def test_the_root_is_the_nearest_folder_with_a_cdk_json_else_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "outer/inner/config/models.json"
    config.parent.mkdir(parents=True)
    assert find_root(config) == tmp_path
    (tmp_path / "outer/cdk.json").touch()
    assert find_root(config) == tmp_path / "outer"
    (tmp_path / "outer/inner/cdk.json").touch()
    assert find_root(config) == tmp_path / "outer/inner"
