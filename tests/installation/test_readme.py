"""The README's ways to install the wheel bring a program that runs, each with the tool that it names.

What the wheel depends on comes from the package index. A tool that is not installed here is skipped: the
tests bring pip and uv, and pipx is the user's own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from support.installed_wheel import ROOT, build_project_wheel

OURS = Path(sys.executable).parent
LINES = re.findall(r"^\$ (.*\./dist/.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in `dist`, as `make wheel` leaves the clone."""
    folder = tmp_path_factory.mktemp("clone")
    build_project_wheel(folder / "dist")
    return folder


def find_tool(name: str, folder: Path) -> str | None:
    """The program of a tool; pip gets an environment of its own, which the others make for themselves."""
    if name != "pip":
        return shutil.which(name, path=os.pathsep.join([str(OURS), os.environ["PATH"]]))
    venv.create(folder, with_pip=True)
    return str(folder / "bin" / "pip")


def test_the_readme_names_four_ways() -> None:
    assert [line.split()[0] for line in LINES] == ["uv", "pipx", "pip", "uvx"]


def run(*words: str, folder: Path, homes: Path) -> str:
    """What a program prints that succeeds; what it installs goes below `homes`."""
    places = {"UV_TOOL_DIR": "uv", "UV_TOOL_BIN_DIR": "bin", "PIPX_HOME": "pipx", "PIPX_BIN_DIR": "bin"}
    uncompiled = {"PIP_NO_COMPILE": "1"}  # a third of the time; what runs is compiled when it is imported
    environment = {**os.environ, **uncompiled, **{name: str(homes / place) for name, place in places.items()}}
    ran = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[0])
def test_a_way_to_install_gives_a_program_that_runs(line: str, folder: Path, tmp_path: Path) -> None:
    name, *arguments = shlex.split(line)
    tool = find_tool(name, tmp_path)
    if tool is None:
        pytest.skip(f"{name} is not installed here")
    said = run(tool, *arguments, folder=folder, homes=tmp_path)
    if name != "uvx":
        said = run(str(tmp_path / "bin" / "mlapi"), "--help", folder=folder, homes=tmp_path)
    assert "Serve on this machine" in said
