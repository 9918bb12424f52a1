"""The sample of an entry as what is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.config.resolve import resolve_folder
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.sample import JSON, media_type_of, sample_file_of, sample_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.plan.model import ModelDeployment


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, and its media type."""

    content: bytes
    media_type: str


def load_sample_body(deployment: ModelDeployment, folders: Sequence[Path]) -> Body | None:
    """The body that the sample is, read from its file where it is one; None without a sample.

    Raises:
        UsageError: the file cannot be read.
    """
    file = sample_file_of(deployment)
    if file:
        return Body(load_file(resolve_folder(file.path, folders)), file.media_type)
    sample = sample_of(deployment)
    if sample is None:
        return None
    media_type = media_type_of(deployment)
    if isinstance(sample, str) and media_type != JSON:
        return Body(sample.encode(), media_type)
    return Body(json.dumps(sample).encode(), media_type)


def load_file(file: Path) -> bytes:
    """Its content.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", fix="write @ and the path of a file"
        ) from error
