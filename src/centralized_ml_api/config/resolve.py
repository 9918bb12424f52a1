"""Where a relative path leads: to the project root, as in the original, or else to the config's folder."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT_MARK = "cdk.json"
"""The file that marks the root of a project."""


def find_root(config: Path) -> Path:
    """The project root: the nearest folder above the config with a `cdk.json`, else the current folder."""
    folders = config.resolve().parents
    return next((folder for folder in folders if (folder / ROOT_MARK).is_file()), Path.cwd())


def candidate_paths(written: str, folders: Sequence[Path]) -> tuple[Path, ...]:
    """The absolute paths that `written` may mean, the first to be tried first, without repetition. Pure."""
    return tuple(dict.fromkeys(Path(folder / written).absolute() for folder in folders))


def resolve_folder(written: str, folders: Sequence[Path]) -> Path:
    """The absolute path of a file or folder that the config names.

    Args:
        written: the text of the config; an absolute path means itself.
        folders: where a relative one may lie, in order: the project root, the config's folder.

    Returns:
        The first place that exists; the first place of all when none does.
    """
    candidates = candidate_paths(written, folders)
    return next((path for path in candidates if exists(path)), candidates[0])


def exists(path: Path) -> bool:
    """Whether anything is there; False too where it cannot be told (a name too long, a closed folder)."""
    return os.path.exists(path)  # noqa: PTH110  # Path.exists raises for such names


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False too where it cannot be told."""
    return os.path.isdir(path)  # noqa: PTH112  # Path.is_dir raises for such names


def is_file(path: Path) -> bool:
    """Whether a file is there; False too where it cannot be told."""
    return os.path.isfile(path)  # noqa: PTH113  # Path.is_file raises for such names
