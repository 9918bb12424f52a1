"""The code of a function, as a file in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import AssetStaging, FileAssetPackaging, IgnoreMode, Stack

if TYPE_CHECKING:
    from pathlib import Path

    from constructs import Construct

NOT_SHIPPED = [
    "__pycache__/",
    "*.py[co]",
    ".git/",
    ".venv/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
]
"""What running or testing the function here leaves in its folder, as patterns of .gitignore."""


def ship_code(function: Construct, folder: Path) -> dict[str, str]:
    """The folder under a name that changes with its content: the `Code` of a function."""
    stack = Stack.of(function)
    staged = AssetStaging(
        function, "Code", source_path=str(folder), exclude=NOT_SHIPPED, ignore_mode=IgnoreMode.GIT
    )
    place = stack.synthesizer.add_file_asset(
        source_hash=staged.asset_hash,
        file_name=staged.relative_staged_path(stack),
        packaging=FileAssetPackaging.ZIP_DIRECTORY,
        display_name=function.node.path,
    )
    return {"S3Bucket": place.bucket_name, "S3Key": place.object_key}
