from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights import find_cached
from support.fetching import Fetcher

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fetcher(tmp_path: Path) -> Fetcher:
    folders = (tmp_path / "root", tmp_path / "config")
    for folder in folders:
        folder.mkdir()
    return Fetcher(tmp_path / "cache", folders)


def test_the_first_folder_that_has_it_wins(fetcher: Fetcher) -> None:
    root, config = fetcher.folders
    (config / "model.gguf").write_bytes(b"config's")
    assert fetcher.fetch("model.gguf") == config / "model.gguf"
    (root / "model.gguf").write_bytes(b"root's")
    assert fetcher.fetch("model.gguf") == root / "model.gguf"


def test_an_absolute_path_needs_no_folder(fetcher: Fetcher, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()
    assert fetcher.fetch(str(tmp_path / "model.gguf")) == tmp_path / "model.gguf"


def test_a_missing_file_names_every_place_tried(fetcher: Fetcher) -> None:
    with pytest.raises(WeightsError) as caught:
        fetcher.fetch("models/model.gguf")
    for folder in fetcher.folders:
        assert str(folder / "models/model.gguf") in caught.value.message
    assert find_cached(parse_weights("models/model.gguf"), folders=fetcher.folders) is None


def test_a_folder_is_taken_as_it_is_and_has_no_digest(fetcher: Fetcher) -> None:
    folder = fetcher.folders[0] / "models"
    folder.mkdir()
    assert fetcher.fetch("models") == folder
    with pytest.raises(WeightsError, match="is a folder, and #sha256= is the digest of one file"):
        fetcher.fetch(f"models#sha256={'0' * 64}")


def test_a_digest_is_checked_once_and_again_after_a_change(fetcher: Fetcher) -> None:
    file = fetcher.folders[0] / "model.gguf"
    file.write_bytes(b"good")
    written = f"model.gguf#sha256={hashlib.sha256(b'good').hexdigest()}"
    assert fetcher.fetch(written) == file
    assert fetcher.stages == {"verifying"}
    assert fetcher.fetch(written) == file
    assert fetcher.stages == set(), "an unchanged file is not hashed again"
    file.write_bytes(b"evil!")
    with pytest.raises(WeightsError, match=hashlib.sha256(b"evil!").hexdigest()):
        fetcher.fetch(written)
    assert find_cached(parse_weights(written), folders=fetcher.folders, cache=fetcher.cache) is None


def test_a_cache_that_cannot_be_written_does_not_stop_a_file_that_is_there(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    (tmp_path / "in the way").touch()
    fetcher.cache = tmp_path / "in the way"
    file = fetcher.folders[0] / "model.gguf"
    file.write_bytes(b"good")
    assert fetcher.fetch(f"model.gguf#sha256={hashlib.sha256(b'good').hexdigest()}") == file
