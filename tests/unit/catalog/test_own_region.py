"""The region is the nearest one that somebody named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.catalog.own_region import find_region

if TYPE_CHECKING:
    from pathlib import Path


def test_the_region_is_the_flags_the_environments_the_profiles_or_the_default(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("[default]\nregion = eu-west-1\n[profile mine]\nregion = eu-west-2\n")
    profile = {"AWS_CONFIG_FILE": str(file)}
    assert find_region("eu-north-1", {"AWS_REGION": "us-west-2"}) == "eu-north-1"
    assert find_region(None, {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-1"}) == "us-west-2"
    assert find_region(None, {"AWS_DEFAULT_REGION": "us-west-1", **profile}) == "us-west-1"
    assert find_region(None, profile) == "eu-west-1"
    assert find_region(None, {**profile, "AWS_PROFILE": "mine"}) == "eu-west-2"
    assert find_region(None, {"AWS_CONFIG_FILE": str(tmp_path / "none")}) == "us-east-1"
    file.write_text("not a configuration")
    assert find_region(None, profile) == "us-east-1"
