"""Ships files to S3 with a deployment: the code of functions, and the documents of the API."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import FileAssetPackaging

from centralized_ml_api.errors import DeployError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from centralized_ml_api.api.documents import ServedDocument
    from centralized_ml_api.aws.constructs.stack_context import StackContext

NOT_SHIPPED = {"__pycache__", ".git", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
COMPILED = (".pyc", ".pyo")
"""What running or testing a function leaves in its folder: folders, and endings of files."""

CODE_BYTES = 262_144_000
"""The most that a function's code may take once unpacked, with its layers, which are not counted here.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (250 MB; how many
bytes that is, Lambda says in its error)
"""


def ship_code(folder: Path, stack_context: StackContext) -> dict[str, str]:
    """Ships the folder under a name that changes with its content; returns the `Code` of the function.

    The CDK's own class for this takes Node a fiftieth of a synth to load.

    Args:
        folder: The code of the function.
        stack_context: Of the stack.

    Raises:
        DeployError: A link leads out of the folder: what it points to is a file of this machine that nobody
            named. Or it leads to what is not shipped. Or the code is larger than Lambda takes.
    """
    shipped = sorted(_list_shipped(folder))
    _check_links(folder, shipped)
    _check_size(folder, shipped)
    copy = stack_context.output_folder / f"asset.{_fingerprint(folder, shipped)}"
    copy.mkdir(exist_ok=True)
    for path in shipped:
        _copy(path, copy / path.relative_to(folder))
    _check_copied_links(folder, shipped, copy)
    return _ship_folder(copy, folder.name, stack_context)


def _check_size(folder: Path, shipped: Iterable[Path]) -> None:
    size = sum(path.stat().st_size for path in shipped if path.is_file())
    if size > CODE_BYTES:
        raise DeployError(
            f"{folder} has {size:,} bytes, and Lambda takes {CODE_BYTES:,} of a function's code",
            fix="delete what the function does not need, or serve the model as an endpoint",
        )


def _check_links(folder: Path, shipped: Iterable[Path]) -> None:
    root = folder.resolve()
    for link in shipped:
        if link.is_symlink() and not link.resolve().is_relative_to(root):
            raise DeployError(
                f"{link} is a link that leads out of the function's folder",
                fix="replace it with a copy, or delete it",
            )


def _check_copied_links(folder: Path, shipped: Iterable[Path], copy: Path) -> None:
    root = copy.resolve()
    for link in shipped:
        copied = copy / link.relative_to(folder)
        if link.is_symlink() and not (copied.exists() and copied.resolve().is_relative_to(root)):
            raise DeployError(
                f"{link} is a link to what is not shipped with the function",
                fix="replace it with a copy or a relative link, or delete it",
            )


def _list_shipped(folder: Path) -> Iterator[Path]:
    """Yields the files and folders in it, and what these contain, but for what is not shipped."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_SHIPPED]
        kept = [name for name in files if not name.endswith(COMPILED)]
        yield from (Path(parent, name) for name in [*folders, *kept])


def _fingerprint(folder: Path, shipped: Iterable[Path]) -> str:
    """Returns a digest of the names, the links and the contents."""
    digest = hashlib.sha256()
    for path in shipped:
        content = b""
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        elif path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
        digest.update(repr((path.relative_to(folder).parts, content)).encode(errors="surrogateescape"))
    return digest.hexdigest()


def _copy(path: Path, copy: Path) -> None:
    if path.is_symlink():
        copy.unlink(missing_ok=True)
        copy.symlink_to(path.readlink())
    elif path.is_dir():
        copy.mkdir(exist_ok=True)
    else:
        shutil.copy(path, copy)


def ship_files(name: str, files: Mapping[str, bytes], stack_context: StackContext) -> dict[str, str]:
    """Ships files as a folder under a name that changes with them; returns the `Code` of a function.

    Args:
        name: What the CDK CLI calls the folder.
        files: Their contents by their paths.
        stack_context: Of the stack.
    """
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    folder = stack_context.output_folder / f"asset.{digest}"
    folder.mkdir(exist_ok=True)
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return _ship_folder(folder, name, stack_context)


def _ship_folder(folder: Path, name: str, stack_context: StackContext) -> dict[str, str]:
    location = stack_context.synthesizer.add_file_asset(
        source_hash=folder.suffix.removeprefix("."),
        file_name=folder.name,
        packaging=FileAssetPackaging.ZIP_DIRECTORY,
        display_name=name,
    )
    return {"S3Bucket": location.bucket_name, "S3Key": location.object_key}


@record
class S3Object:
    """An object in S3; `bucket` may be a CDK token."""

    bucket: str
    key: str


def store_documents(
    documents: Iterable[ServedDocument], stack_context: StackContext
) -> list[tuple[ServedDocument, S3Object]]:
    """Ships each document under a name that changes with its content: an older stage still finds its own.

    Args:
        documents: What the API tells about itself.
        stack_context: Of the stack; its bucket is that of every CDK app of the account.
    """
    return [(document, _store(document, stack_context)) for document in documents]


def _store(document: ServedDocument, stack_context: StackContext) -> S3Object:
    content = document.text.encode()
    digest = hashlib.sha256(content).hexdigest()
    suffix = ".json" if document.content_type.endswith("json") else ".html"
    file = f"asset.{digest}{suffix}"
    stack_context.output_folder.joinpath(file).write_bytes(content)
    location = stack_context.synthesizer.add_file_asset(
        source_hash=digest,
        file_name=file,
        packaging=FileAssetPackaging.FILE,
        display_name=document.path,
    )
    return S3Object(location.bucket_name, location.object_key)
