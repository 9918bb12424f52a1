"""Warnings of a config are one line on the way to something else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINT = {"name": "a", "integration": {"type": "api", "headers": ["Accept"]}}


@pytest.mark.parametrize("verb", [["plan"], ["pull", "--config"]])
def test_warnings_are_one_line_that_says_where_to_read_them(verb: list[str], tmp_path: Path) -> None:
    (tmp_path / "my models.json").write_text(json.dumps({"models": [], "endpoints": [ENDPOINT]}))
    ran = mlapi(*verb, "my models.json", cwd=tmp_path)
    assert ran.status == 0
    assert ran.talk.splitlines()[0] == "my models.json: 1 warning. Details: mlapi check 'my models.json'"
    assert "C204" not in ran.talk
