"""A request body that works for an entry: a JSON value, or the bytes of a file. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.sample import file_of
from centralized_ml_api.plan.media_types import guess_media_type

if TYPE_CHECKING:
    from centralized_ml_api.plan.types import ModelDeployment

JSON = "application/json"
BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A file whose content is a body that works: its path as the config writes it, its media type."""

    path: str
    media_type: str


def sample_of(deployment: ModelDeployment) -> Any:
    """The config's sample where it is JSON, else one for what the local engine speaks, else None."""
    if deployment.sample is not None:
        return None if file_of(deployment.sample) else deployment.sample
    return deployment.local.serving.sample if deployment.local and deployment.function is None else None


def sample_file_of(deployment: ModelDeployment) -> SampleFile | None:
    """The config's sample where it is a file."""
    path = file_of(deployment.sample)
    if path is None:
        return None
    return SampleFile(path, deployment.about.takes or guess_media_type(path) or BYTES)


def media_type_of(deployment: ModelDeployment) -> str:
    """The media type of the entry's requests: as the config says, else that of its sample, else JSON."""
    file = sample_file_of(deployment)
    return deployment.about.takes or (file.media_type if file else JSON)
