"""`mlapi extend --target aws`: what AWS refuses is not written into the config either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.local_api import mlapi, write_config
from support.moto_server import start_moto

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_what_is_not_deployed_leaves_the_config_as_it_was(tmp_path: Path) -> None:
    write_config(tmp_path, {"models": [], "event": {"ends": "2098-06-01T18:00:00Z"}})
    before = (tmp_path / "models.json").read_text()
    with start_moto(tmp_path) as aws:
        arguments = ("+2h", "models.json", "--target", "aws", "--stack", "Event")
        ran = mlapi("extend", *arguments, cwd=tmp_path, environment=aws.environment)
    assert (ran.status, ran.out) == (1, "")
    assert "Event is not deployed in us-east-1" in ran.talk
    assert (tmp_path / "models.json").read_text() == before
