"""Tiny wheels, built on the spot, and a pip for which half a second is too long."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_QUICK_PIP = """
import os, pathlib, shutil, sys

assert sys.argv[1] == "download"
folder = pathlib.Path(sys.argv[sys.argv.index("--dest") + 1])
name, version = sys.argv[-1].replace("-", "_").split("==")
(wheel,) = pathlib.Path(os.environ["PIP_FIND_LINKS"]).glob(f"{name}-{version}-*.whl")
folder.mkdir(parents=True)
shutil.copy(wheel, folder)
"""


def build_wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes]) -> Path:
    """A wheel that pip accepts; `name` with underscores.

    Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    """
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    facts = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{facts}/RECORD", "")
    return wheel


def write_quick_pip(folder: Path) -> Path:
    """Writes a `pip download` that copies a wheel of PIP_FIND_LINKS; returns what PYTHONPATH has to name."""
    (folder / "pip").mkdir()
    (folder / "pip/__init__.py").touch()
    (folder / "pip/__main__.py").write_text(_QUICK_PIP, encoding="utf-8")
    return folder
