"""`model_fn` always gets a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.python_engine import find_model_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_of_weights_is_the_folder_itself(tmp_path: Path) -> None:
    assert find_model_folder(tmp_path) == tmp_path


def test_a_file_is_alone_in_a_folder_under_its_own_name(tmp_path: Path) -> None:
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"weights")
    (tmp_path / "other").touch()
    for _ in range(2):
        folder = find_model_folder(weights, tmp_path / "cache")
        assert [path.name for path in folder.iterdir()] == ["model.onnx"]
        assert (folder / "model.onnx").read_bytes() == b"weights"
