"""A request body that works for an entry: a JSON value, or the bytes of a file. Pure."""

from __future__ import annotations

import mimetypes
from functools import cache
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.sample import file_of
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.plan.types import ModelDeployment


@cache
def _load_known_types() -> mimetypes.MimeTypes:
    known = mimetypes.MimeTypes()
    known.add_type("audio/wav", ".wav")  # Python 3.11 knows only audio/x-wav
    known.add_type("application/x-npy", ".npy")
    known.add_type("image/webp", ".webp")
    return known


def guess_media_type(name: str) -> str | None:
    """Returns the media type of a file with that name or path, if its ending is known."""
    return _load_known_types().guess_type(name)[0]


def guess_ending(media_type: str) -> str | None:
    """Returns the ending of files of that type, with its dot, if there is one; parameters are ignored."""
    return _load_known_types().guess_extension(media_type.partition(";")[0].strip().lower())


JSON = "application/json"
BYTES = "application/octet-stream"


@record
class SampleFile:
    """A file whose content is a body that works: its path as the config writes it, its media type."""

    path: str
    media_type: str


def sample_of(deployment: ModelDeployment) -> Any:
    """Returns the config's sample where it is JSON, else the sample of the local engine, else None."""
    if deployment.sample is not None:
        return None if file_of(deployment.sample) else deployment.sample
    return deployment.local.serving.sample if deployment.local and deployment.function is None else None


def sample_file_of(deployment: ModelDeployment) -> SampleFile | None:
    """Returns the config's sample where it is a file, else None."""
    path = file_of(deployment.sample)
    if path is None:
        return None
    return SampleFile(path, deployment.about.takes or guess_media_type(path) or BYTES)


def media_type_of(deployment: ModelDeployment) -> str:
    """Returns the media type of the entry's requests: the config's, else that of its sample, else JSON."""
    file = sample_file_of(deployment)
    return deployment.about.takes or (file.media_type if file else JSON)
