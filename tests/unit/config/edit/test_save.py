"""An edited config is put in place whole, where it was, with the rights that it had."""

from __future__ import annotations

import os
import stat
import tempfile
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.edit import save_text
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_mode_links_and_byte_order_mark_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real/models.json", tmp_path / "models.json"
    real.write_bytes(b"\xef\xbb\xbf{}\r\n")
    real.chmod(0o640)
    link.symlink_to("real/models.json")
    save_text(link, "{}\r\n", '{"é": 1}\r\n')
    assert link.is_symlink()
    assert real.read_bytes() == b'\xef\xbb\xbf{"\xc3\xa9": 1}\r\n'
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert list((tmp_path / "real").iterdir()) == [real], "nothing else is left in the folder"


def test_the_new_file_is_made_beside_the_old_so_that_one_replaces_the_other_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    path = tmp_path / "models.json"
    path.write_text("old")
    save_text(path, "old", "new")
    assert path.read_text() == "new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_of_somebody_else_stays_theirs(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text("old")
    os.chown(path, 12345, 54321)
    save_text(path, "old", "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


def test_another_edit_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text("new")
    with pytest.raises(UsageError, match="has changed since it was read"):
        save_text(path, "old", "mine")
    assert path.read_text() == "new"


def test_a_file_that_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.json cannot be written: No such file"):
        save_text(tmp_path / "gone.json", "", "x")


def test_a_disk_that_takes_nothing_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)  # the draft beside it would have too long a name
    path.write_text("old")
    with pytest.raises(UsageError, match="cannot be written: File name too long"):
        save_text(path, "old", "new")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_a_file_that_is_protected_against_writing_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(UsageError, match="is read-only"):
        save_text(path, "old", "new")
    assert path.read_text() == "old"
