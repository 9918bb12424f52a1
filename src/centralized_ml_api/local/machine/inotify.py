"""How many inotify instances this user may have, and has. Linux only.

Envoy takes one for each file that it watches, and aborts without.
Source: https://github.com/envoyproxy/envoy/issues/7130
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

FILES_OF_THE_GATEWAY = 6
"""What Envoy watches besides a file for each model that runs here or has a key.

These are its clusters, two tables of routes, and three files of rate limits.
"""

PROC = Path("/proc")
_SETTINGS = ("fs.inotify.max_user_instances", "user.max_inotify_instances")
"""The limits of the kernel: for a user, and for a user in a namespace of users, such as that of a container.

Source: https://man7.org/linux/man-pages/man7/inotify.7.html and man7/namespaces.7.html
"""
_LINK = "anon_inode:inotify"


@dataclass(frozen=True, slots=True)
class InotifyInstances:
    """How many this user has, how many it may have, and by which setting of the kernel."""

    used: int
    most: int
    setting: str

    def suffice(self, needed: int) -> bool:
        """Returns whether so many more may be made."""
        return self.used + needed <= self.most

    def describe(self, needed: int) -> str:
        """Returns what the gateway needs and what there is, as a part of a sentence."""
        return f"it needs {needed} inotify instances; this user has {self.used} of {self.most}"

    @property
    def fix(self) -> str:
        """How to be allowed more."""
        return f"allow more: sudo sysctl {self.setting}={max(1024, 2 * self.most)}"


def count_inotify_instances(proc: Path = PROC) -> InotifyInstances | None:
    """Counts the instances of this user; returns None where the system does not say how many it may have.

    Processes that share one are counted as if each had its own.
    """
    limits: list[tuple[int, str]] = []
    for setting in _SETTINGS:
        try:
            text = (proc / "sys" / setting.replace(".", "/")).read_text(encoding="ascii")
        except OSError:
            continue
        limits.append((int(text), setting))
    if not limits:
        return None
    most, setting = min(limits, key=lambda limit: limit[0])
    used = sum(_count(process) for process in proc.iterdir() if process.name.isdigit())
    return InotifyInstances(used, most, setting)


def _count(process: Path) -> int:
    """Returns how many instances a process has; none where it is another user's, or gone."""
    try:
        if process.stat().st_uid != os.getuid():
            return 0
        return sum(map(_is_instance, (process / "fd").iterdir()))
    except OSError:
        return 0


def _is_instance(descriptor: Path) -> bool:
    try:
        return str(descriptor.readlink()) == _LINK
    except OSError:  # it was closed meanwhile
        return False
