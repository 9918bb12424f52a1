"""The wheel of this project, built and installed as its users do, with packages that are here already.

Nothing is fetched: an environment gets the wheel, and a `.pth` file that leads to the packages it may see.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from support.local_api import Ran

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NAME = "centralized-ml-api"
PACKAGES = Path(str(distribution("click").locate_file("")))
"""Where this environment has its packages; it finds our source through a `.pth` file, others do not."""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel."""

    bin: Path

    def mlapi(self, *arguments: str, cwd: Path) -> Ran:
        """Runs a verb to its end, in a shell where the environment is activated and nothing of ours is."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        path = f"{self.bin}{os.pathsep}{os.defpath}"
        done = subprocess.run(
            [self.bin / "mlapi", *arguments],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**kept, "PATH": path, "VIRTUAL_ENV": str(self.bin.parent), "NO_COLOR": "1"},
        )
        return Ran(done.returncode, done.stdout, done.stderr)


def build_project_wheel(folder: Path, source: Path = ROOT) -> Path:
    """Builds the wheel of a source tree or a source distribution, as `make wheel` does."""
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


def build_source_distribution(folder: Path) -> Path:
    """Builds the source distribution, with the hook that build front ends call."""
    build = "import build_backend, sys; build_backend.build_sdist(sys.argv[1])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    command = [sys.executable, "-c", build, str(folder)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def install(wheel: Path, folder: Path, *, extras: bool) -> Installed:
    """Installs the wheel into a new environment that sees what the package needs, or all that is here."""
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    _pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (packages / "others.pth").write_text(f"{PACKAGES if extras else _link_needed(folder / 'needed')}\n")
    where = "import centralized_ml_api; print(centralized_ml_api.__file__)"
    ours = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True, timeout=60)
    assert Path(ours.stdout.strip()).is_relative_to(folder)
    return Installed(python.parent)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def _link_needed(folder: Path) -> Path:
    """Makes a folder with what the package needs without any extra, as links."""
    folder.mkdir()
    for needed in _list_needed(NAME, {}).values():
        for name in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            (folder / name).symlink_to(PACKAGES / name)
    return folder


def _list_needed(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """Adds the distributions that one needs, and those that they need."""
    for requirement in _read_requirements(name):
        if requirement not in found:
            found[requirement] = distribution(requirement)
            _list_needed(requirement, found)
    return found


def _read_requirements(name: str) -> Iterator[str]:
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name
