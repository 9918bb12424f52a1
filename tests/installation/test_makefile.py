"""A set-up that was interrupted goes on with the next `make`."""

from __future__ import annotations

import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from support.installed_wheel import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def set_up(folder: Path) -> None:
    """Makes the environment of `make up` in a folder, without the packages."""
    words = [
        "make",
        "--silent",
        f"VENV={folder}",
        f"PYTHON={sys.executable}",
        "INSTALL=:",
        f"{folder}/local.stamp",
    ]
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_an_environment_gets_the_pip_that_it_lacks_and_keeps_what_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False)  # as whoever interrupts `make up` in its first seconds leaves it
    (kept := folder / "kept").touch()
    set_up(folder)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "--version"], check=True)
    assert kept.exists()
    configured = (folder / "pyvenv.cfg").stat().st_mtime_ns
    (folder / "local.stamp").unlink()
    set_up(folder)
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == configured, "it was complete, and stays as it is"
