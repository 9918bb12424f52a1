"""Samples that are files, as the catalogue carries them, so that the page can send one at a click."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from centralized_ml_api.config.resolve import resolve_folder
from centralized_ml_api.plan.sample import sample_file_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from centralized_ml_api.plan.sample import SampleFile
    from centralized_ml_api.plan.types import ApiPlan

FILE_BYTES = 256 * 1024
"""A larger file is left out: everybody who opens the page would fetch it."""

ALL_BYTES = 2 * 1024 * 1024
"""What the files of all entries may have together, in config order."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The file's own name, its media type, its bytes in base64."""

    name: str
    media_type: str
    base64: str


def load_samples(plan: ApiPlan) -> Mapping[str, Sample]:
    """By the entry's name. Without the files that cannot be read or are too large."""
    found: dict[str, Sample] = {}
    left = ALL_BYTES
    for one in plan.deployments:
        file = sample_file_of(one)
        content = _load(file, plan.folders) if file else None
        if file and content is not None and len(content) <= min(FILE_BYTES, left):
            found[one.name] = Sample(
                PurePath(file.path).name, file.media_type, base64.b64encode(content).decode()
            )
            left -= len(content)
    return found


def _load(file: SampleFile, folders: Sequence[Path]) -> bytes | None:
    try:
        with resolve_folder(file.path, folders).open("rb") as opened:
            return opened.read(FILE_BYTES + 1)
    except OSError:
        return None
