"""Reads the Lua scripts of this package, each once: no disk can stop a later start of Envoy."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from centralized_ml_api.api.http import EVENTS, EVENTS_IN_UTF8


@functools.cache
def read_script(name: str) -> str:
    """Returns the script in the file `name`.lua beside this module."""
    return Path(__file__).with_name(f"{name}.lua").read_text(encoding="ascii")


@functools.cache
def render_declared_encoding() -> str:
    """Renders the Lua function with which every script of responses begins."""
    names = {"EVENTS": EVENTS, "EVENTS_IN_UTF8": EVENTS_IN_UTF8}
    head = "".join(f"local {name} = {json.dumps(value)}\n" for name, value in names.items())
    return f"{head}{read_script('declared_encoding')}"
