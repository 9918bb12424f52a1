"""Starts our own API as its users do."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MLAPI = (sys.executable, "-m", "centralized_ml_api")
START_SECONDS = 120
"""How long a start may take, unless somebody gives it longer."""
PUBLIC_LIMIT = {"requests_per_second": 1_000_000, "burst": 1_000_000}
"""An `event` without teams, with a limit that no measurement reaches; the default is 100 calls per second."""


@contextlib.contextmanager
def serve(
    config: Mapping[str, Any],
    folder: Path,
    *flags: str,
    prefix: Sequence[str] = (),
    start_seconds: float = START_SECONDS,
) -> Iterator[str]:
    """Runs `mlapi up` with a config on a free port of loopback; yields its address, and stops it.

    Args:
        config: What is served.
        folder: Where the config is written; the state is in its `.mlapi`.
        flags: Those of `mlapi up`.
        prefix: What goes before the command, such as `taskset`.
        start_seconds: How long it may take until it serves.

    Raises:
        RuntimeError: It does not start; the message has the reason.
        subprocess.TimeoutExpired: It does not start in time.
    """
    file = folder / "models.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    state = ["--state", str(folder / ".mlapi")]
    up = [*prefix, *MLAPI, "up", str(file), "--port", "0", "--detach", *state, *flags]
    try:
        started = subprocess.run(up, check=False, capture_output=True, text=True, timeout=start_seconds)  # noqa: S603  # our own
    except subprocess.TimeoutExpired:
        subprocess.run([*MLAPI, "down", *state], check=False, capture_output=True)  # noqa: S603  # our own
        raise
    if started.returncode:
        raise RuntimeError(f"mlapi up exited with {started.returncode}:\n{started.stderr}")
    try:
        yield started.stdout.partition("Serving on ")[2].partition("\n")[0]
    finally:
        subprocess.run([*MLAPI, "down", *state], check=True, capture_output=True)  # noqa: S603  # our own


def supervisor_of(folder: Path) -> int:
    """Returns the id of the process that `serve` started; its children are the gateway and the models."""
    run: dict[str, Any] = json.loads((folder / ".mlapi/run.json").read_text(encoding="utf-8"))
    return int(run["pid"])
