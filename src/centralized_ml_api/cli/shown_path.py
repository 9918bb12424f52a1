"""Paths as a user would write them."""

from __future__ import annotations

from pathlib import Path


def shown_path(path: Path) -> str:
    """Relative inside of the current folder, else as it is."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
