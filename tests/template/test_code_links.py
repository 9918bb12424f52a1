"""What a function's folder takes to AWS: nothing from elsewhere on the machine, no more than Lambda takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws.constructs.assets import CODE_BYTES
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


def test_code_that_lambda_cannot_take_is_refused_before_the_upload(tmp_path: Path) -> None:
    plan = build_test_plan(CONFIG, tmp_path)
    code = tmp_path / "functions/echo"
    (code / ".venv").mkdir()
    for name in (".venv/not-shipped", "weights"):
        with (code / name).open("wb") as file:
            file.truncate(CODE_BYTES)  # sparse: it takes no room on the disk
    with pytest.raises(
        DeployError, match=r"functions/echo has 262,144,\d+ bytes, and Lambda takes 262,144,000"
    ):
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
