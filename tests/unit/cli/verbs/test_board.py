from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.local.status import LocalStatus
from support.control import SilentTarget, serve_control
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

STATUS = LocalStatus(7, "models.json", ".mlapi", 0.0, "http://127.0.0.1:1", "", "", (), ())


def test_the_link_is_all_that_goes_to_stdout(tmp_path: Path) -> None:
    target = SilentTarget(STATUS)
    with serve_control(target, tmp_path / ".mlapi"):
        ran = mlapi("board", cwd=tmp_path)
        assert (ran.status, ran.out) == (0, f"{target.board_link}\n")
        assert ran.talk.endswith("Next: mlapi status\n")
        assert json.loads(mlapi("board", "--json", cwd=tmp_path).out) == {"link": target.board_link}
        target.board_link = ""
        early = mlapi("board", cwd=tmp_path)
        assert (early.status, early.out) == (1, "")
        assert early.talk.startswith("error: the organizer's screen is still starting")
