"""Digests of files that may be large: streamed, with progress, and cancellable."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.weights.watch import Watch

_PIECE_BYTES = 1 << 20


def hash_file(path: Path, watch: Watch) -> str:
    """The SHA-256 of a file in lower-case hex."""
    digest = hashlib.sha256()
    total = path.stat().st_size
    done = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            done += len(piece)
            watch.report("verifying", done, total)
    return digest.hexdigest()


def check_digest(found: str, expected: str | None, *, what: str, origin: str) -> None:
    """Compares a digest with the expected one, if there is one.

    Args:
        found: The digest of the file.
        expected: The digest it must have; None accepts any.
        what: The weights, for the message.
        origin: Who says what is expected: the config, or the host.

    Raises:
        WeightsError: they differ.
    """
    if expected in (None, found):
        return
    raise WeightsError(
        f"{what} is not the file that {origin} describes: its SHA-256 is {found}, expected {expected}",
        fix=f"find out which of the two is right; if the file was replaced on purpose, write #sha256={found}",
    )
