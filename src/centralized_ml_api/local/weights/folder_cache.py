"""Where the files of a fetched pipeline stay: one folder that appears when all of it is there.

What is in the cache's folder of the source:

    weights/3f0c…/sd-turbo/          the folder, whole and verified
                  .verified.json     size, time and SHA-256 of each of its files
                  .new-0a1b2c…/      what has come so far, of that commit
                  .lock              held by the process that fetches
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.local.weights.cache import folder_of, lock_folder
from centralized_ml_api.local.weights.digest import hash_file
from centralized_ml_api.local.weights.verified import Verified

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from centralized_ml_api.local.weights.watch import Watch

_RECORD = ".verified.json"
_NEW = ".new-"


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """The place of one repository in the cache; `whole` is the folder that its users get."""

    folder: Path
    whole: Path

    @classmethod
    def of(cls, location: str, name: str, cache: Path | None) -> FolderEntry:
        """The entry for a source; `location` is its text."""
        folder = folder_of(location, cache)
        return cls(folder, folder / name)

    def find(self, watch: Watch) -> Path | None:
        """The folder, if each of its files is what it was when it was verified."""
        files = self._load_record()
        if files and all(_is_same(self.whole / path, verified, watch) for path, verified in files.items()):
            return self.whole
        return None

    def lock(self, watch: Watch, *, what: str) -> AbstractContextManager[None]:
        """Keeps other processes out while this one fetches."""
        return lock_folder(self.folder, watch, what=what)

    def begin(self, commit: str) -> Path:
        """The folder for what comes of a commit; what came of another one is removed."""
        new = self.folder / f"{_NEW}{commit}"
        for other in self.folder.glob(f"{_NEW}*"):
            if other != new:
                shutil.rmtree(other, ignore_errors=True)
        new.mkdir(exist_ok=True)
        return new

    def keep(self, new: Path, digests: Mapping[str, str]) -> Path:
        """Makes `new` the folder; `digests` has the SHA-256 of each of its files, just taken."""
        # The record first: a crash in between then means another look at the hub, never unverified files.
        self._save_record({path: Verified.of(new / path, digest) for path, digest in digests.items()})
        if self.whole.exists():
            shutil.rmtree(self.whole)
        new.rename(self.whole)
        return self.whole

    def _load_record(self) -> dict[str, Verified]:
        try:
            record = json.loads((self.folder / _RECORD).read_text())
            return {path: Verified(**value) for path, value in record.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _save_record(self, files: Mapping[str, Verified]) -> None:
        new = self.folder / f"{_RECORD}.new"
        new.write_text(json.dumps({path: asdict(verified) for path, verified in files.items()}))
        new.replace(self.folder / _RECORD)


def _is_same(file: Path, verified: Verified, watch: Watch) -> bool:
    with suppress(OSError):
        now = Verified.of(file, verified.sha256)
        return now == verified or (now.size == verified.size and hash_file(file, watch) == verified.sha256)
    return False
