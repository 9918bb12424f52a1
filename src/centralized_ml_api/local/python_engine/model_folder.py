"""The folder that `model_fn` gets: always a folder, as in SageMaker's containers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from centralized_ml_api.local.weights.cache import build_cache_key, cache_root
from centralized_ml_api.local.weights.disk import explain_disk_errors

if TYPE_CHECKING:
    from pathlib import Path


def find_model_folder(weights: Path, cache: Path | None = None) -> Path:
    """Returns the folder of the weights: themselves, or for one file a folder that has only a link to it.

    Raises:
        WeightsError: The link cannot be written into the cache.
    """
    if weights.is_dir():
        return weights
    file = weights.resolve()
    folder = cache_root(cache) / "model-folders" / build_cache_key(str(file))
    with explain_disk_errors(folder, what=weights.name):
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # its key is its target's path: what is there is the same
            (folder / weights.name).symlink_to(file)
    return folder
