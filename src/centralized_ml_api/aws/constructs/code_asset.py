"""The code of a function, as a file in S3."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import AssetStaging, FileAssetPackaging, IgnoreMode

from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct

    from centralized_ml_api.aws.constructs.stack_context import StackContext

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


def ship_code(function: Construct, folder: Path, stack_context: StackContext) -> dict[str, str]:
    """The folder under a name that changes with its content: the `Code` of a function.

    Raises:
        DeployError: a link in it leads out of it. The CDK would ship what is there: a file of this machine
            that nobody named.
    """
    _check_links(folder)
    staged = AssetStaging(
        function, "Code", source_path=str(folder), exclude=NOT_SHIPPED, ignore_mode=IgnoreMode.GIT
    )
    place = stack_context.synthesizer.add_file_asset(
        source_hash=staged.asset_hash,
        file_name=staged.relative_staged_path(stack_context.stack),
        packaging=FileAssetPackaging.ZIP_DIRECTORY,
        display_name=folder.name,
    )
    return {"S3Bucket": place.bucket_name, "S3Key": place.object_key}


def _check_links(folder: Path) -> None:
    root = folder.resolve()
    for link in _links(folder):
        if not link.resolve().is_relative_to(root):
            raise DeployError(
                f"{link} is a link that leads out of the code of the function",
                fix="put a copy there instead, or remove the link",
            )


def _links(folder: Path) -> Iterator[Path]:
    skipped = {name.rstrip("/") for name in NOT_SHIPPED}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in skipped]
        paths = (Path(parent, name) for name in sorted([*folders, *files]))
        yield from (path for path in paths if path.is_symlink())
