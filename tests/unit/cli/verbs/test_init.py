"""`mlapi init` writes a config that can be served, and never overwrites one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


@pytest.mark.parametrize("name", ["config/models.json", "mine.yaml", "deep/down/mine.yml"])
def test_init_writes_a_config_that_check_accepts(name: str, mlapi: Mlapi, tmp_path: Path) -> None:
    written = mlapi("init", name)
    assert (written.status, written.out) == (0, f"{name}\n")
    assert written.talk.splitlines()[-1] == f"Next: mlapi check {name}"
    assert (tmp_path / name).is_file()
    checked = mlapi("check", name)
    assert (checked.status, checked.out) == (0, f"{name}: 1 model, 0 endpoints, no problems\n")


def test_init_without_a_name_writes_what_check_reads_without_one(mlapi: Mlapi) -> None:
    assert mlapi("init").status == 0
    assert mlapi("check", "--offline").status == 0


@pytest.mark.parametrize("name", ["mine.json", "mine.yaml"])
def test_init_empty_has_no_model_and_check_accepts_it(name: str, mlapi: Mlapi) -> None:
    written = mlapi("init", "--empty", name)
    assert written.talk == "Next: mlapi models\n"
    checked = mlapi("check", name)
    assert (checked.status, checked.out) == (0, f"{name}: 0 models, 0 endpoints, no problems\n")


def test_init_never_overwrites(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("precious")
    refused = mlapi("init", "mine.json")
    assert refused.status == 2
    assert "mine.json already exists and was not changed" in refused.talk
    assert (tmp_path / "mine.json").read_text() == "precious"


def test_init_below_a_file_is_refused_and_not_a_traceback(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = mlapi("init", "file/mine.json")
    assert refused.status == 2
    assert "Traceback" not in refused.talk
