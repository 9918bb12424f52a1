"""`hf://owner/repo`: a whole diffusers pipeline, as a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.disk import check_free, explain_disk_errors
from centralized_ml_api.local.weights.hub_listing import load_listing
from centralized_ml_api.local.weights.hugging_face import build_address, explain_refusal
from centralized_ml_api.local.weights.partial import Partial
from centralized_ml_api.local.weights.watch import Progress, Watch
from centralized_ml_api.local.weights.web import download
from centralized_ml_api.local.weights.web_errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.config.weights import HuggingFaceRepository
    from centralized_ml_api.local.weights.folder_cache import FolderEntry
    from centralized_ml_api.local.weights.hub_listing import ListedFile, Listing


def bring_repository(source: HuggingFaceRepository, entry: FolderEntry, watch: Watch) -> Path:
    """Fetches what a pipeline needs, each file verified; progress counts the bytes of all of them.

    What has come stays when this fails, and is continued by the next call.

    Raises:
        WeightsError: it cannot be had, or is not what the hub lists.
    """
    what = f"hf://{source.repository}"
    with explain_disk_errors(entry.folder, what=what):
        listing = load_listing(source, watch)
        new = entry.begin(listing.commit)
        check_free(new, listing.total_bytes - _come(new), what=what)
        return entry.keep(new, _bring_all(source, listing, new, watch))


def measure_repository(source: HuggingFaceRepository, watch: Watch) -> int:
    """What would be fetched, in bytes; asks once, since somebody waits."""
    return load_listing(source, watch, patient=False).total_bytes


def _bring_all(source: HuggingFaceRepository, listing: Listing, new: Path, watch: Watch) -> dict[str, str]:
    """Completes the folder `new`; the SHA-256 of each file by its path."""
    digests, done_bytes = {}, 0
    for file in listing.files:
        target = new / file.path
        target.parent.mkdir(exist_ok=True)
        before, done_bytes = done_bytes, done_bytes + file.size_bytes
        if not target.exists():
            _download(source, listing, file, target, _moved(watch, before, listing.total_bytes))
        # Also one that came before a break: nobody wrote down that it was verified.
        verifying = _standing(watch, done_bytes, listing.total_bytes)
        digests[file.path] = _verify(source, file, target, verifying)
    return digests


def _download(
    source: HuggingFaceRepository, listing: Listing, file: ListedFile, target: Path, watch: Watch
) -> None:
    partial = Partial(target.with_name(f"{target.name}.partial"))
    try:
        download(build_address(listing.source_of(file)), partial, watch, what=file.path)
    except RefusedError as exc:
        raise explain_refusal(source, exc) from exc
    partial.path.replace(target)
    partial.discard()


def _verify(source: HuggingFaceRepository, file: ListedFile, target: Path, watch: Watch) -> str:
    try:
        return file.verify(target, watch, what=f"hf://{source.repository}/{file.path}")
    except WeightsError:
        if not watch.cancelled.is_set():
            target.unlink()  # nothing to continue: it is whole, and wrong
        raise


def _come(new: Path) -> int:
    return sum(path.stat().st_size for path in new.rglob("*") if path.is_file())


def _moved(watch: Watch, start_bytes: int, total_bytes: int) -> Watch:
    """What one file reports, as a part of the sum."""

    def progress(now: Progress) -> None:
        watch.progress(Progress(now.stage, start_bytes + now.done_bytes, total_bytes))

    return Watch(progress, watch.cancelled)


def _standing(watch: Watch, done_bytes: int, total_bytes: int) -> Watch:
    """The sum stands still: what is hashed has come already."""
    return Watch(lambda now: watch.progress(Progress(now.stage, done_bytes, total_bytes)), watch.cancelled)
