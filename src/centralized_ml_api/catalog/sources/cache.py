"""Documents that were fetched before, each with the server's ETag of that version."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Returns where specs are kept: below `MLAPI_CACHE`, or below the user's own cache folder."""
    root = environment.get("MLAPI_CACHE") or platformdirs.user_cache_path("mlapi")
    return Path(root).expanduser().absolute() / "jumpstart"


@record
class Cached:
    """A document as it came from `url`; `sha256` is the digest of its text."""

    url: str
    etag: str
    sha256: str
    text: str

    @classmethod
    def of(cls, url: str, etag: str, text: str) -> Cached:
        """Builds the record of a document that has just come.

        Args:
            url: Where it came from.
            etag: Its entity tag, which asks the next time whether it has changed.
            text: The document.
        """
        return cls(url, etag, _digest(text), text)


class SpecCache:
    """Keeps one file per document. Skips files that are damaged or cannot be written, and tells `warn`."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self._folder = folder
        self._warn = warn

    def load(self, url: str) -> Cached | None:
        """Returns the document of an address, if it is there and undamaged."""
        file = self._file(url)
        try:
            cached = Cached(**json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            self._damaged(file, str(error))
            return None
        if cached.url != url or cached.sha256 != _digest(cached.text):
            self._damaged(file, "its digest does not match")
            return None
        return cached

    def save(self, cached: Cached) -> None:
        """Writes a document in one step, so that no process reads half of it."""
        file = self._file(cached.url)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=file.parent) as folder:
                new = Path(folder, file.name)
                new.write_text(json.dumps(asdict(cached)), encoding="utf-8")
                new.replace(file)
        except OSError as error:
            self._warn(f"JumpStart's responses cannot be cached in {self._folder}: {error.strerror or error}")

    def _file(self, url: str) -> Path:
        return self._folder / f"{_digest(url)[:16]}-{url.rpartition('/')[2]}"

    def _damaged(self, file: Path, why: str) -> None:
        self._warn(
            f"the cached copy {file} is damaged and is not used ({why}); delete it to stop this warning"
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
