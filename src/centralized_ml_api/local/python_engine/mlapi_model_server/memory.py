"""Bounds what requests may take of the machine's memory, beyond what the loaded model has.

It counts the bytes that a process may write to and shares with nobody: what it allocates, and the stacks of
its threads. It counts neither weights that are mapped for reading nor addresses that are only reserved, as
allocators and drivers of GPUs do. A limit of all addresses (`RLIMIT_AS`) would count both.

Source: https://man7.org/linux/man-pages/man2/getrlimit.2.html (RLIMIT_DATA: since Linux 4.7 also private
writable mappings) and https://man7.org/linux/man-pages/man5/proc_pid_status.5.html (VmData)
"""

from __future__ import annotations

import contextlib
import re
import resource
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMORY_VARIABLE = "MODEL_SERVER_MEMORY_MIB"
KIB, MIB = 2**10, 2**20

_MACHINE = Path("/proc/meminfo")
_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_PROCESS = Path("/proc/self/status")


def find_spare_bytes(
    environment: Mapping[str, str], machine: Path = _MACHINE, container: Path = _CONTAINER
) -> int | None:
    """Returns how many bytes all requests together may take: what the config says, or what the machine has.

    None where nothing says that, as outside of Linux.

    Args:
        environment: The variables of the process, among them `MODEL_SERVER_MEMORY_MIB`.
        machine: Says how much memory the machine has.
        container: Says how much its container may use.

    Raises:
        ValueError: The variable is not a whole number above 0.
    """
    written = environment.get(MEMORY_VARIABLE)
    if written is not None:
        if not written.isdecimal() or not int(written):
            raise ValueError(f"{MEMORY_VARIABLE} must be a whole number above 0, not {written!r}")
        return int(written) * MIB
    known = []
    with contextlib.suppress(OSError, KeyError):
        known.append(_read_kib(machine, "MemTotal"))
    with contextlib.suppress(OSError, ValueError):  # no such file outside of containers; "max" is no number
        known.append(int(container.read_text(encoding="ascii")))
    return min(known, default=None)


def limit_memory(spare_bytes: int | None, process: Path = _PROCESS) -> None:
    """Makes a request for more memory fail alone, with a `MemoryError`, rather than end other programs.

    Does nothing if `spare_bytes` is None, or without the file `process`, which says how much is in use.
    """
    if spare_bytes is None:
        return
    with contextlib.suppress(OSError, KeyError):
        allowed = _read_kib(process, "VmData") + spare_bytes
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        if most == resource.RLIM_INFINITY or allowed < most:
            resource.setrlimit(resource.RLIMIT_DATA, (allowed, most))


def _read_kib(file: Path, name: str) -> int:
    """Returns the bytes of a line that is in KiB.

    Raises:
        OSError: The file cannot be read.
        KeyError: It has no such line.
    """
    found = re.search(rf"^{name}:\s+(\d+) kB$", file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise KeyError(name)
    return int(found[1]) * KIB
