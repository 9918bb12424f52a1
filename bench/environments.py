"""Sets up one environment per peer, once, from its lock file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PEERS = Path(__file__).resolve().parent / "peers"
CACHE = Path(__file__).resolve().parent.parent / ".cache/bench"
NODE = Path(sys.executable).parent / "node"
"""Node.js, which `make setup-aws` installs, with npm beside it."""


def prepare_environment(name: str, say: Callable[[str], None]) -> Path:
    """Sets up the environment of `peers/NAME/requirements.txt` if necessary; returns its folder of programs.

    Raises:
        subprocess.CalledProcessError: pip failed; the next call starts over.
    """
    return _prepare(PEERS / name / "requirements.txt", CACHE / name, _install, say) / "bin"


def prepare_node_environment(name: str, say: Callable[[str], None]) -> Path:
    """Sets up the packages of `peers/NAME/package-lock.json` if necessary; returns `node_modules`.

    Raises:
        subprocess.CalledProcessError: npm failed; the next call starts over.
    """
    return _prepare(PEERS / name / "package-lock.json", CACHE / name, _install_node, say) / "node_modules"


def node_version(modules: Path, package: str) -> str:
    """Returns the version of a package in such a folder."""
    described: dict[str, str] = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
    return described["version"]


def _prepare(
    lock: Path, folder: Path, install: Callable[[Path, Path], None], say: Callable[[str], None]
) -> Path:
    """Installs a lock file into a folder, unless that was done; returns the folder."""
    stamp, key = folder / "lock.sha256", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != key:
        say(f"setting up {folder.name} in {folder.relative_to(CACHE.parent.parent)}, once")
        shutil.rmtree(folder, ignore_errors=True)
        install(lock, folder)
        stamp.write_text(key, encoding="ascii")
    return folder


def peer_version(programs: Path, package: str) -> str:
    """Returns the version of a package in such an environment."""
    ask = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.check_output([programs / "python", "-c", ask], text=True).strip()  # noqa: S603  # our own


def _install(lock: Path, folder: Path) -> None:
    """Installs what the lock has, by the pip of this environment.

    The one that comes with Python may be older, and take a later release for a requirement with an extra
    whose package the lock has without it.
    """
    quiet = ["--quiet", "--disable-pip-version-check"]
    pinned = ["--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)  # noqa: S603  # our own
    pip = [sys.executable, "-m", "pip", "--python", str(folder)]
    subprocess.run([*pip, "install", *quiet, *pinned], check=True)  # noqa: S603  # our own


def _install_node(lock: Path, folder: Path) -> None:
    """Installs what the lock has, by its hashes; no script of a package runs."""
    folder.mkdir(parents=True)
    for file in (lock, lock.with_name("package.json")):
        shutil.copy(file, folder)
    quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    found = {**os.environ, "PATH": f"{NODE.parent}:{os.environ.get('PATH', '')}"}
    subprocess.run([NODE.with_name("npm"), "ci", *quiet], check=True, env=found)  # noqa: S603  # our own
