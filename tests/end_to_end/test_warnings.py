"""Warnings of the config, as the verbs that serve it tell them: one line, not page after page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.local_api import mlapi, models, odd_command, start_local_api

if TYPE_CHECKING:
    from pathlib import Path


def warned() -> dict[str, Any]:
    config = models(echo=odd_command())
    config["models"][0]["integration"] = {"type": "api", "headers": ["Accept", "Content-Type"]}
    return config


@pytest.mark.slow
def test_up_and_reload_count_warnings_on_one_line(tmp_path: Path) -> None:
    with start_local_api(tmp_path, warned()) as api:
        api.wait_serving()
        ran = mlapi("reload", cwd=tmp_path)
    said = "models.json: 2 warnings. Details: mlapi check models.json"
    assert [line for line in api.output.splitlines() if "warning" in line] == [said]
    assert [line for line in ran.talk.splitlines() if "warning" in line] == [said]
