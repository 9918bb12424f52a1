"""Ledgers of the streaming function, whose calls of DynamoDB a test answers: see `ledger_process.mjs`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from support.stream_host.host import function_folder, node

SCRIPT = Path(__file__).with_suffix(".mjs")


class LedgerProcess:
    """Ledgers in a Node of their own."""

    def __init__(self) -> None:
        module = (function_folder() / "ledger.mjs").as_uri()
        self._process = subprocess.Popen(
            [node(), str(SCRIPT), module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, **command: Any) -> dict[str, list[dict[str, Any]]]:
        """Returns what the ledger asks of DynamoDB now, and which reservations have ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(command)}\n")
        self._process.stdin.flush()
        told: dict[str, list[dict[str, Any]]] = json.loads(self._process.stdout.readline())
        return told

    def close(self) -> None:
        """Ends Node."""
        self._process.communicate()
