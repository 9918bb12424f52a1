"""What a `sample` is: a JSON value, or the name of a file whose bytes are the body. Pure."""

from __future__ import annotations

FILE_KEY = "$file"


def names_file(sample: object) -> bool:
    """Whether a sample is meant to be a file's bytes rather than itself."""
    return isinstance(sample, dict) and FILE_KEY in sample


def file_of(sample: object) -> str | None:
    """The path that a sample names, as written; None for one that is its own body, or malformed."""
    if not isinstance(sample, dict) or set(sample) != {FILE_KEY}:
        return None
    path = sample[FILE_KEY]
    return path if isinstance(path, str) and path.strip() else None
