"""The folder that `model_fn` gets: always a folder, as in SageMaker's containers."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from centralized_ml_api.local.weights.cache import cache_root
from centralized_ml_api.local.weights.disk import explain_disk_errors

if TYPE_CHECKING:
    from pathlib import Path

_KEY_LENGTH = 16


def find_model_folder(weights: Path, cache: Path | None = None) -> Path:
    """The folder of the weights: themselves, or for a single file a folder that holds just a link to it.

    Raises:
        WeightsError: the cache, which the link lies in, cannot be written.
    """
    if weights.is_dir():
        return weights
    file = weights.resolve()
    key = hashlib.sha256(str(file).encode()).hexdigest()[:_KEY_LENGTH]
    folder = cache_root(cache) / "model-folders" / key
    with explain_disk_errors(folder, what=weights.name):
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # its key is its target's path: what is there is the same
            (folder / weights.name).symlink_to(file)
    return folder
