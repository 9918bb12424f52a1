"""`hf://owner/repo`: a whole diffusers pipeline, as a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.disk import check_free, explain_disk_errors
from centralized_ml_api.local.weights.https_download import RefusedError, download_file
from centralized_ml_api.local.weights.hugging_face import build_address, explain_refusal, load_listing
from centralized_ml_api.local.weights.partial import Partial
from centralized_ml_api.local.weights.progress import Monitor, Progress

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.config.weights import HuggingFaceRepository
    from centralized_ml_api.local.weights.cache import CacheEntry
    from centralized_ml_api.local.weights.hugging_face import ListedFile, Listing


def download_repository(source: HuggingFaceRepository, entry: CacheEntry, monitor: Monitor) -> Path:
    """Downloads and verifies each file that a pipeline needs; returns their folder.

    What has come stays when this fails, and the next call continues it.

    Args:
        source: The repository.
        entry: Where its files go.
        monitor: Counts the bytes of all files as one sum, and can end the download.

    Raises:
        WeightsError: A file cannot be downloaded, or is not what the hub lists.
    """
    what = f"hf://{source.repository}"
    with explain_disk_errors(entry.folder, what=what):
        listing = load_listing(source, monitor)
        new = entry.begin_folder(listing.commit)
        done_bytes = sum(path.stat().st_size for path in new.rglob("*") if path.is_file())
        check_free(new, listing.total_bytes - done_bytes, what=what)
        return entry.keep_folder(new, _download_all(source, listing, new, monitor))


def _download_all(
    source: HuggingFaceRepository, listing: Listing, new: Path, monitor: Monitor
) -> dict[str, str]:
    """Completes the folder `new`; returns the SHA-256 of each file by its path."""
    digests, done_bytes, total_bytes = {}, 0, listing.total_bytes
    for file in listing.files:
        target = new / file.path
        target.parent.mkdir(exist_ok=True)
        if not target.exists():
            _download(source, listing, file, target, _offset(monitor, done_bytes, total_bytes))
        done_bytes += file.size_bytes
        # Also one that came before a break: nobody wrote down that it was verified.
        digests[file.path] = _verify(source, file, target, _fixed(monitor, done_bytes, total_bytes))
    return digests


def _download(
    source: HuggingFaceRepository, listing: Listing, file: ListedFile, target: Path, monitor: Monitor
) -> None:
    partial = Partial(target.with_name(f"{target.name}.partial"))
    try:
        download_file(build_address(listing.source_of(file)), partial, monitor, what=file.path)
    except RefusedError as exc:
        raise explain_refusal(source, exc) from exc
    partial.path.replace(target)
    partial.discard()


def _verify(source: HuggingFaceRepository, file: ListedFile, target: Path, monitor: Monitor) -> str:
    try:
        return file.verify(target, monitor, what=f"hf://{source.repository}/{file.path}")
    except WeightsError:
        if not monitor.cancelled.is_set():
            target.unlink()  # nothing to continue: it is complete, and wrong
        raise


def _offset(monitor: Monitor, start_bytes: int, total_bytes: int) -> Monitor:
    """Returns a monitor that counts what one file reports into the sum."""

    def progress(now: Progress) -> None:
        monitor.progress(Progress(now.stage, start_bytes + now.done_bytes, total_bytes))

    return Monitor(progress, monitor.cancelled)


def _fixed(monitor: Monitor, done_bytes: int, total_bytes: int) -> Monitor:
    """Returns a monitor whose sum stands still: what is hashed has come already."""
    return Monitor(
        lambda now: monitor.progress(Progress(now.stage, done_bytes, total_bytes)), monitor.cancelled
    )
