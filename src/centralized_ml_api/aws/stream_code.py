"""Loads the code of the function that streams: its JavaScript, and the texts of the API's errors."""

from __future__ import annotations

from pathlib import Path

from centralized_ml_api.api import error_shape

CODE = Path(__file__).parent / "constructs/stream_function"
ERRORS = Path(error_shape.__file__).with_name("errors.json")


def load_stream_code() -> dict[str, bytes]:
    """Returns the content of each file of the function, by its path, in order."""
    files = sorted([*CODE.glob("*.mjs"), ERRORS], key=lambda file: file.name)
    return {file.name: file.read_bytes() for file in files}
