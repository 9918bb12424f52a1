"""nginx: the installed one, or Debian's package, unpacked into our cache and never run as a service."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bench.environments import CACHE

if TYPE_CHECKING:
    from collections.abc import Callable

_WHERE = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def find_nginx(say: Callable[[str], None]) -> Path:
    """Returns the program, downloading it if necessary.

    Raises:
        RuntimeError: nginx is not installed, and there is no apt-get to download it.
        subprocess.CalledProcessError: apt-get does not find the package `nginx`.
    """
    folder = CACHE / "nginx"
    found = shutil.which("nginx", path=_WHERE) or shutil.which(folder / "usr/sbin/nginx")
    return Path(found) if found else _fetch(folder, say)


def nginx_version(program: Path) -> str:
    """Returns its version, such as 1.22.1."""
    said = subprocess.run([program, "-v"], check=True, capture_output=True, text=True).stderr  # noqa: S603  # our own
    return said.strip().rpartition("/")[2]


def _fetch(folder: Path, say: Callable[[str], None]) -> Path:
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg")
    if not apt or not dpkg:
        raise RuntimeError("nginx is not installed, and there is no apt-get to download it")
    say("downloading nginx, once")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([apt, "download", "-qq", "nginx"], cwd=folder, check=True, capture_output=True)  # noqa: S603  # our own
    package = next(folder.glob("nginx_*.deb"))
    subprocess.run([dpkg, "-x", package, folder], check=True, capture_output=True)  # noqa: S603  # our own
    return folder / "usr/sbin/nginx"
