"""Sets up one environment per peer, once, from its lock file."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PEERS = Path(__file__).resolve().parent / "peers"
CACHE = Path(__file__).resolve().parent.parent / ".cache/bench"


def prepare_environment(name: str, say: Callable[[str], None]) -> Path:
    """Sets up the environment of `peers/NAME/requirements.txt` if necessary; returns its folder of programs.

    Raises:
        subprocess.CalledProcessError: pip failed; the next call starts over.
    """
    lock = PEERS / name / "requirements.txt"
    folder = CACHE / name
    stamp, key = folder / "lock.sha256", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != key:
        say(f"setting up {name} in {folder.relative_to(CACHE.parent.parent)}, once")
        shutil.rmtree(folder, ignore_errors=True)
        _install(lock, folder)
        stamp.write_text(key, encoding="ascii")
    return folder / "bin"


def peer_version(programs: Path, package: str) -> str:
    """Returns the version of a package in such an environment."""
    ask = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.check_output([programs / "python", "-c", ask], text=True).strip()  # noqa: S603  # our own


def _install(lock: Path, folder: Path) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    pinned = ["--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603  # our own
    subprocess.run([folder / "bin/python", "-m", "pip", "install", *quiet, *pinned], check=True)  # noqa: S603  # our own
