"""What a `sample` means: a JSON value, or the name of a file whose bytes are the body. Pure."""

from __future__ import annotations

FILE_KEY = "$file"


def names_file(sample: object) -> bool:
    """Returns whether a sample is meant to name a file."""
    return isinstance(sample, dict) and FILE_KEY in sample


def file_of(sample: object) -> str | None:
    """Returns the path that a sample names, as written; None for one that is the body, or malformed."""
    if not isinstance(sample, dict) or set(sample) != {FILE_KEY}:
        return None
    path = sample[FILE_KEY]
    return path if isinstance(path, str) and path.strip() else None
