"""A link in a function's folder takes no file from elsewhere on the machine to AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import DeployError
from support.synthesis import build_test_plan, function, model, synthesize

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = {"models": [model(integration=function())]}


@pytest.mark.parametrize(
    "target", ["{home}/credentials", "{home}", "../../home/credentials", "/", "{home}/none"]
)
def test_a_link_that_leads_out_of_the_code_is_refused_by_name(tmp_path: Path, target: str) -> None:
    plan = build_test_plan(CONFIG, tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/credentials").touch()
    code = tmp_path / "functions/echo/deep"
    code.mkdir()
    (code / "link").symlink_to(target.format(home=tmp_path / "home"))
    with pytest.raises(DeployError, match=r"echo/deep/link is a link that leads out"):
        synthesize(plan, tmp_path / "out")


def test_links_within_the_code_and_in_what_is_not_shipped_are_fine(tmp_path: Path) -> None:
    plan = build_test_plan(CONFIG, tmp_path)
    code = tmp_path / "functions/echo"
    (code / "same.py").symlink_to("index.py")
    (code / ".venv").mkdir()
    (code / ".venv/python").symlink_to("/usr/bin/env")
    synthesize(plan, tmp_path / "out")
    (index,) = (tmp_path / "out").glob("asset.*/index.py")
    assert {file.name for file in index.parent.iterdir()} == {"index.py", "same.py"}
