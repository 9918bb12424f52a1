"""Remembers how long each model of this machine took to wake, in a file of the state folder."""

from __future__ import annotations

import contextlib
import json
from statistics import median
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.private_file import write_private_file

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ModelDeployment

WAKE_TIMES_FILE = "wake_times.json"
_KEPT = 3
_LONGEST_SECONDS = 86_400.0
"""Longer times, zero, and negative ones cannot have been measured; they are ignored."""


class WakeTimes:
    """The last wakes of each entry.

    What is expected of the next one is the median of them: a single slow wake says little. An entry that got
    another model is another entry, so each time is kept with the words that describe its model.

    Args:
        path: The file. One that is missing or damaged says nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: dict[str, tuple[str, list[float]]] = {}
        damage = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
        with contextlib.suppress(*damage):
            written = json.loads(path.read_text(encoding="utf-8"))
            self._seconds = {
                name: (str(entry["model"]), [*filter(_is_plausible, map(float, entry["seconds"]))])
                for name, entry in written.items()
            }

    def expect(self, name: str, model: str) -> float | None:
        """Returns in how many seconds an entry wakes; None if that was never measured.

        Args:
            name: The entry.
            model: What describes its model.
        """
        measured_model, seconds = self._seconds.get(name, ("", []))
        return median(seconds) if seconds and measured_model == model else None

    def note(self, name: str, model: str, seconds: float) -> float:
        """Takes note of a wake, and writes the file if that is possible; returns what `expect` does now.

        Args:
            name: The entry.
            model: What describes its model.
            seconds: How long the wake took.
        """
        measured_model, before = self._seconds.get(name, ("", []))
        kept = [*(before if measured_model == model else []), round(seconds, 3)][-_KEPT:]
        self._seconds[name] = (model, kept)
        written = {
            entry: {"model": model, "seconds": seconds} for entry, (model, seconds) in self._seconds.items()
        }
        with contextlib.suppress(StartError):
            write_private_file(self._path, json.dumps(written, indent=1) + "\n")
        return median(kept)


def describe_model(entry: ModelDeployment) -> str:
    """Describes the model of an entry, as far as its wake takes time. Pure."""
    return f"{entry.local.serving.engine}: {entry.local.serving.summary}" if entry.local else ""


def _is_plausible(seconds: float) -> bool:
    return 0 < seconds <= _LONGEST_SECONDS  # so not a NaN either
