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

    from centralized_ml_api.plan.types import ModelDeployment


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, its media type, and that of the answer, where it is known."""

    content: bytes
    media_type: str
    accept: str = ""


def load_sample_body(deployment: ModelDeployment, folders: Sequence[Path]) -> Body | None:
    """The body that the sample is, read from its file where it is one; None without a sample.

    Raises:
        UsageError: the file cannot be read.
    """
    content = _load_content(deployment, folders)
    # API Gateway gives bytes as base64 to callers that do not ask for their type.
    return None if content is None else Body(content, media_type_of(deployment), deployment.about.gives or "")


def _load_content(deployment: ModelDeployment, folders: Sequence[Path]) -> bytes | None:
    file = sample_file_of(deployment)
    if file:
        return load_file(resolve_folder(file.path, folders))
    sample = sample_of(deployment)
    if sample is None:
        return None
    if isinstance(sample, str) and media_type_of(deployment) != JSON:
        return sample.encode()
    return json.dumps(sample).encode()


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
