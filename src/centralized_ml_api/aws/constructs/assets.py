"""Ships files to S3 with a deployment: the code of functions, and the documents of the API."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import AssetStaging, FileAssetPackaging, IgnoreMode, Stage

from centralized_ml_api.errors import DeployError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aws_cdk import IStackSynthesizer
    from constructs import Construct

    from centralized_ml_api.api.documents import ServedDocument
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
"""What running or testing a function leaves in its folder, as patterns of .gitignore."""

CODE_BYTES = 262_144_000
"""The most that a function's code may take once unpacked, with its layers, which are not counted here.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (250 MB; how many
bytes that is, Lambda says in its error)
"""


def ship_code(function: Construct, folder: Path, stack_context: StackContext) -> dict[str, str]:
    """Ships the folder under a name that changes with its content; returns the `Code` of the function.

    Args:
        function: the construct of the function.
        folder: its code.
        stack_context: of the stack.

    Raises:
        DeployError: a link leads out of the folder: the CDK would ship what it points to, a file of this
            machine that nobody named. Or the code is larger than Lambda takes.
    """
    _check_links(folder)
    _check_size(folder)
    staged = AssetStaging(
        function, "Code", source_path=str(folder), exclude=NOT_SHIPPED, ignore_mode=IgnoreMode.GIT
    )
    location = stack_context.synthesizer.add_file_asset(
        source_hash=staged.asset_hash,
        file_name=staged.relative_staged_path(stack_context.stack),
        packaging=FileAssetPackaging.ZIP_DIRECTORY,
        display_name=folder.name,
    )
    return {"S3Bucket": location.bucket_name, "S3Key": location.object_key}


def _check_size(folder: Path) -> None:
    size = sum(path.stat().st_size for path in _list_shipped(folder) if path.is_file())
    if size > CODE_BYTES:
        raise DeployError(
            f"{folder} has {size:,} bytes, and Lambda takes {CODE_BYTES:,} of a function's code",
            fix="delete what the function does not need, or serve the model as an endpoint",
        )


def _check_links(folder: Path) -> None:
    root = folder.resolve()
    for link in _list_shipped(folder):
        if link.is_symlink() and not link.resolve().is_relative_to(root):
            raise DeployError(
                f"{link} is a link that leads out of the function's folder",
                fix="replace it with a copy, or delete it",
            )


def _list_shipped(folder: Path) -> Iterator[Path]:
    """Yields the files and folders in it but for those that are not shipped."""
    skipped = {name.rstrip("/") for name in NOT_SHIPPED}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in skipped]
        yield from (Path(parent, name) for name in sorted([*folders, *files]))


def ship_files(
    scope: Construct, name: str, files: Mapping[str, bytes], stack_context: StackContext
) -> dict[str, str]:
    """Ships files as a folder under a name that changes with them; returns the `Code` of a function.

    Args:
        scope: a construct of the app, whose output folder takes the files.
        name: what the CDK CLI calls the folder.
        files: their contents by their paths.
        stack_context: of the stack.
    """
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    folder = _output_folder(scope) / f"asset.{digest}"
    folder.mkdir(exist_ok=True)
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    location = stack_context.synthesizer.add_file_asset(
        source_hash=digest,
        file_name=folder.name,
        packaging=FileAssetPackaging.ZIP_DIRECTORY,
        display_name=name,
    )
    return {"S3Bucket": location.bucket_name, "S3Key": location.object_key}


def _output_folder(scope: Construct) -> Path:
    stage = Stage.of(scope)
    return Path(stage.outdir if stage else ".")


@record
class S3Object:
    """An object in S3; `bucket` may be a CDK token."""

    bucket: str
    key: str


def store_documents(
    scope: Construct, documents: Iterable[ServedDocument], synthesizer: IStackSynthesizer
) -> list[tuple[ServedDocument, S3Object]]:
    """Ships each document under a name that changes with its content: an older stage still finds its own.

    Args:
        scope: a construct of the app, whose output folder takes the files.
        documents: what the API tells about itself.
        synthesizer: of the stack; its bucket is that of every CDK app of the account.
    """
    folder = _output_folder(scope)
    return [(document, _store(synthesizer, folder, document)) for document in documents]


def _store(synthesizer: IStackSynthesizer, folder: Path, document: ServedDocument) -> S3Object:
    content = document.text.encode()
    digest = hashlib.sha256(content).hexdigest()
    suffix = ".json" if document.content_type.endswith("json") else ".html"
    file = f"asset.{digest}{suffix}"
    folder.joinpath(file).write_bytes(content)
    location = synthesizer.add_file_asset(
        source_hash=digest,
        file_name=file,
        packaging=FileAssetPackaging.FILE,
        display_name=document.path,
    )
    return S3Object(location.bucket_name, location.object_key)
