"""What `mlapi usage --target aws` looks for in a stack is there, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["default", "every-feature"])
def test_one_log_group_is_the_access_log(name: str) -> None:
    resources = json.loads((GOLDEN / f"{name}.json").read_text())["Resources"]
    groups = [logical for logical, resource in resources.items() if resource["Type"] == "AWS::Logs::LogGroup"]
    assert len([logical for logical in groups if "AccessLog" in logical]) == 1
    assert len(groups) > 1, "there are others to be told from it"
