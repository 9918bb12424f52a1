"""What every process below us inherits: the name of the state folder that it belongs to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARK = "MLAPI_STATE_FOLDER"


def set_mark(folder: Path) -> None:
    """Marks what this process starts from now on as belonging to the state folder."""
    os.environ[MARK] = str(folder)


def inherited_mark() -> dict[str, str]:
    """The mark as an environment to add to a child's; empty where none is set."""
    return {MARK: os.environ[MARK]} if MARK in os.environ else {}
