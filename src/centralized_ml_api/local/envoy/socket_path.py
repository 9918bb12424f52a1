"""Unix domain sockets in folders with long names."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_BYTES = 103
"""The longest path of a socket: 107 bytes on Linux, 103 on macOS, where `sun_path` has 104 with its end.

Source: https://man7.org/linux/man-pages/man7/unix.7.html
"""

_LINK = "mlapi-12345678/at"
"""As long as the path of the link below the folder for temporary files."""
_SHORT = "/tmp"  # noqa: S108  # what is made there is private


@contextlib.contextmanager
def shorten_path(path: Path) -> Iterator[str]:
    """A path to the same socket that fits into its address; it is good until the end of the block.

    A path that is too long is reached through a link to its folder, in a private temporary one: in `/tmp`
    where `TMPDIR` is so long that this would not help.

    Raises:
        OSError: no temporary folder can be made.
    """
    if _fits(path):
        yield str(path)
        return
    usual = gettempdir()
    short = usual if _fits(Path(usual, _LINK, path.name)) else _SHORT
    with TemporaryDirectory(prefix="mlapi-", dir=short) as folder:
        link = Path(folder, "at")
        link.symlink_to(path.parent.absolute())
        yield str(link / path.name)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LIMIT_BYTES
