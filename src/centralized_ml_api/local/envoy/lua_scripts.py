"""Reads the Lua scripts of this package, each once: no disk can stop a later start of Envoy."""

from __future__ import annotations

import functools
from pathlib import Path


@functools.cache
def read_script(name: str) -> str:
    """Returns the script in the file `name`.lua beside this module."""
    return Path(__file__).with_name(f"{name}.lua").read_text(encoding="ascii")
