"""Loads the code of the function that streams: its JavaScript, the API's error texts, the limit of bodies."""

from __future__ import annotations

import json
from pathlib import Path

from centralized_ml_api.api import error_shape
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

CODE = Path(__file__).parent / "constructs/stream_function"
ERRORS = Path(error_shape.__file__).with_name("errors.json")


def load_stream_code() -> dict[str, bytes]:
    """Returns the content of each file of the function, by its path, in order."""
    texts = json.loads(ERRORS.read_bytes())
    files = {file.name: file.read_bytes() for file in CODE.glob("*.mjs")}
    files[ERRORS.name] = json.dumps({**texts, "body_limit_bytes": BODY_LIMIT_BYTES}, indent=2).encode()
    return dict(sorted(files.items()))
