"""The build back end: flit's, with the examples of `mlapi init --example` in the wheel.

The examples are what this repository serves itself: `config/`, `functions/` and `models/` at its root. They
exist only there; a wheel gets a copy, and an editable installation needs none.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from flit_core import buildapi
from flit_core.buildapi import (  # the hooks that stay flit's
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

PACKAGE = "src/centralized_ml_api"
EXAMPLES = ("config", "functions", "models")
FILES = ("LICENSE", "README.md", "pyproject.toml")


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Builds the wheel of a copy of the source tree in which the package holds the examples.

    Args:
        wheel_directory: where to put it.
        config_settings: what the front end was told; flit has no settings.
        metadata_directory: what `prepare_metadata_for_build_wheel` wrote, if it ran.

    Returns:
        The name of the wheel's file.

    Source: https://peps.python.org/pep-0517/ (`backend-path`; hooks run in the root of the source tree)
    """
    into = str(Path(wheel_directory).absolute())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(PACKAGE, copy / PACKAGE)
        for name in EXAMPLES:
            shutil.copytree(name, copy / PACKAGE / "examples" / name)
        for name in FILES:
            shutil.copy2(name, copy)
        with contextlib.chdir(copy):
            return str(buildapi.build_wheel(into, config_settings, metadata_directory))
