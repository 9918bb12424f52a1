"""`mlapi doctor` ends with what to do next: a start, or another look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.ports import bind_loopback
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {
    "endpoints": [
        {
            "name": "far",
            "integration": {"type": "api"},
            "local": {"engine": "url", "url": "http://127.0.0.1:1/go"},
        }
    ]
}


def test_a_fault_leads_to_another_look_and_its_absence_to_a_start(tmp_path: Path) -> None:
    (tmp_path / "far.json").write_text(json.dumps(CONFIG))
    with bind_loopback() as held:
        port = str(held.getsockname()[1])
        asked = ("doctor", "far.json", "--target", "local", "--port", port)
        found = mlapi(*asked, cwd=tmp_path)
    assert found.status == 1
    assert found.talk.splitlines()[-2:] == [
        "Fix what failed, then look again.",
        f"Next: mlapi doctor far.json --target local --port {port}",
    ]
    found = mlapi(*asked, cwd=tmp_path)
    assert (found.status, found.talk) == (0, f"Next: mlapi up far.json --port {port}\n")
