from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.local.status import LocalStatus
from support.control import SilentTarget, serve_control
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

STATUS = LocalStatus(7, "models.json", ".mlapi", 0.0, "http://127.0.0.1:1", "", "", (), ())


def test_it_says_when_the_new_servers_answer_and_why_they_do_not(tmp_path: Path) -> None:
    target = SilentTarget(STATUS)
    with serve_control(target, tmp_path / ".mlapi"):
        ran = mlapi("restart", "chat", cwd=tmp_path)
        assert (ran.status, ran.out, target.ordered) == (0, "chat was restarted.\n", ["restart chat"])
        assert ran.talk.endswith("Next: mlapi status\n")
        target.refusal = {"error": "chat has no memory", "fix": "", "failed": True}
        failed = mlapi("restart", "chat", cwd=tmp_path)
        assert (failed.status, failed.out) == (1, "")
        assert "chat has no memory" in failed.talk
        target.refusal = {"error": "there is no entry chat", "fix": "name one of these: b"}
        assert mlapi("restart", "chat", cwd=tmp_path).status == 2
