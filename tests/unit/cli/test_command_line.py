"""Every verb can be had, explains itself, and wrong command lines end with status 2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.cli import VERBS
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_explains_itself(verb: str, tmp_path: Path) -> None:
    ran = mlapi(verb, "--help", cwd=tmp_path)
    assert ran.status == 0, ran.talk
    assert ran.out.startswith(f"Usage: mlapi {verb}")


@pytest.mark.parametrize(
    "arguments", [["nope"], ["up", "--port", "x"], ["up", "--for", "soon"], ["status", "--nope"], ["call"]]
)
def test_a_wrong_command_line_ends_with_status_2_and_no_traceback(
    arguments: list[str], tmp_path: Path
) -> None:
    ran = mlapi(*arguments, cwd=tmp_path)
    assert ran.status == 2
    assert "Error:" in ran.talk
    assert "Traceback" not in ran.talk


@pytest.mark.parametrize("verb", ["status", "down", "reload", "call", "smoke"])
def test_where_nothing_runs_verbs_say_how_to_start_it(verb: str, tmp_path: Path) -> None:
    ran = mlapi(verb, *(["name"] if verb == "call" else []), cwd=tmp_path)
    assert ran.status == 1
    assert "nothing runs with the state folder" in ran.talk
    assert "mlapi up" in ran.talk


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert re.fullmatch(r"mlapi, version \d+\.\d+\.\d+\n", mlapi("--version", cwd=tmp_path).out)
