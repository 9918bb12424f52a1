"""Puts a file with a secret in place, at once and for this user alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path


def write_private_file(path: Path, text: str) -> None:
    """Writes a file, mode 0600, by renaming: nobody ever reads half of it. A missing folder gets mode 0700.

    Raises:
        StartError: It cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror or error}") from error
