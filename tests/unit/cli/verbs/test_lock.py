"""`mlapi lock` pins what JumpStart says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.jumpstart import make_spec, write_mirror
from support.verbs import SHIPPED, TINY, write_jumpstart_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


def test_lock_pins_what_check_then_uses(mlapi: Mlapi, mirror: Path, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path)
    locked = mlapi("lock", "tiny.json")
    assert (locked.status, locked.out) == (0, f"{TINY} 1.2.0 (from the mirror)\n")
    assert locked.talk.splitlines()[-1] == "Next: mlapi check tiny.json"
    write_mirror(mirror, make_spec(version="2.0.0"))
    assert f"{TINY} 1.2.0 (from the lock)" in mlapi("check", "tiny.json").talk
    assert mlapi("lock", "tiny.json").out == f"{TINY} 2.0.0 (from the mirror)\n"


def test_a_config_that_drifted_from_its_lock_is_told_so(mlapi: Mlapi, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path)
    mlapi("lock", "tiny.json")
    write_jumpstart_config(tmp_path, model_id=SHIPPED)
    drifted = mlapi("check", "tiny.json")
    assert drifted.status == 2
    assert "error[C511]: not in the lock file" in drifted.talk


def test_lock_of_an_unknown_model_writes_nothing(mlapi: Mlapi, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path, model_id="acme-textgeneration-tyni")
    assert mlapi("lock", "tiny.json").status == 1
    assert not (tmp_path / "jumpstart.lock.json").exists()
