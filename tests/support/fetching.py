"""Fetching weights into a folder of the test, and remembering the progress."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.weights import Progress, fetch_weights


@dataclass
class Fetcher:
    """`cache` is the root of the cache; `folders` are where relative paths start."""

    cache: Path | None
    folders: tuple[Path, ...] = ()
    progress: list[Progress] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def fetch(self, written: str) -> Path:
        self.progress.clear()
        return fetch_weights(
            parse_weights(written),
            folders=self.folders,
            cache=self.cache,
            progress=self.progress.append,
            cancelled=self.cancelled,
        )

    @property
    def stages(self) -> set[str]:
        return {now.stage for now in self.progress}

    def beside(self) -> set[str]:
        """The names in the two folders above the cache, itself and its folder left out."""
        above = (self.cache or Path()).parent
        return {path.name for path in [*above.iterdir(), *above.parent.iterdir()]} - {"cache", above.name}

    def left_over(self) -> set[str]:
        """The names of all files in the cache but the locks."""
        root = self.cache or Path()
        return {path.name for path in root.rglob("*") if path.is_file()} - {".lock"}
