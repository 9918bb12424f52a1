"""Where a relative path leads: below the project root, as in the original, or else the config's folder."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT_MARK = "cdk.json"
"""The file that marks the root of a project."""


def find_root(config: Path) -> Path:
    """Returns the project root: the nearest folder above with a `cdk.json`, else the current folder."""
    folders = config.resolve().parents
    return next((folder for folder in folders if (folder / ROOT_MARK).is_file()), Path.cwd())


def candidate_paths(written: str, folders: Sequence[Path]) -> tuple[Path, ...]:
    """Returns the absolute paths that `written` may mean, in the order to try them, without duplicates."""
    return tuple(dict.fromkeys(Path(folder / written).absolute() for folder in folders))


def resolve_folder(written: str, folders: Sequence[Path]) -> Path:
    """Returns the absolute path of a file or folder that the config names.

    Args:
        written: The path in the config; an absolute path means itself.
        folders: Where a relative one may start, in order: the project root, the config's folder.

    Returns:
        The first candidate that exists; the first of all when none does.
    """
    candidates = candidate_paths(written, folders)
    return next((path for path in candidates if exists(path)), candidates[0])


def exists(path: Path) -> bool:
    """Returns whether anything is at the path; False too where that is unknown (too long, no permission)."""
    return os.path.exists(path)  # noqa: PTH110  # Path.exists raises for such names


def is_folder(path: Path) -> bool:
    """Returns whether there is a folder at the path; False too where that is unknown."""
    return os.path.isdir(path)  # noqa: PTH112  # Path.is_dir raises for such names


def is_file(path: Path) -> bool:
    """Returns whether there is a file at the path; False too where that is unknown."""
    return os.path.isfile(path)  # noqa: PTH113  # Path.is_file raises for such names
