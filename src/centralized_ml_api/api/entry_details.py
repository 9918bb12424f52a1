"""What one machine knows of its entries beyond the plan, without asking anybody: facts and sample files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.config.logo import LOGO_BYTES
from centralized_ml_api.config.resolve import resolve_folder
from centralized_ml_api.errors import CatalogError
from centralized_ml_api.plan.sample import BYTES, guess_media_type, sample_file_of
from centralized_ml_api.plan.types import JumpStartModel
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from centralized_ml_api.catalog.resolve import ModelWords
    from centralized_ml_api.plan.types import ApiPlan


FILE_BYTES = 256 * 1024
"""A larger file is left out: everybody who opens the page would fetch it."""

ALL_BYTES = 2 * 1024 * 1024
"""What the files of all entries may have together, in config order."""


@record
class Sample:
    """The file's own name, its media type, its bytes in base64."""

    name: str
    media_type: str
    base64: str


@record
class Known:
    """What a target knows of its entries beyond the plan, each by the entry's name.

    `refused` says why an entry is not served; `licences` are addresses of licence texts; `tasks` are words
    such as `textgeneration`; `samples` are bodies that are files; `context_lengths` are in tokens.
    `sleeping` has the `state` of those that may sleep, and in `wakes_in_seconds` how long they take to wake.
    `created` is when the API began to serve, in seconds since the epoch. `logo` is the event's, not an
    entry's. `authority` is the SHA-256 fingerprint of the API's own certificate authority, if it has one.
    `answered_later` are the entries whose own paths take calls that are answered later; None where none does.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    licences: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    samples: Mapping[str, Sample] = field(default_factory=dict)
    context_lengths: Mapping[str, int] = field(default_factory=dict)
    sleeping: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    created: int = 0
    logo: Sample | None = None
    authority: str = ""
    answered_later: frozenset[str] | None = None


NOTHING_KNOWN = Known()


def load_samples(plan: ApiPlan) -> Mapping[str, Sample]:
    """Loads the samples that are files, by entry name; unreadable and too large files are left out."""
    found: dict[str, Sample] = {}
    left = ALL_BYTES
    for deployment in plan.deployments:
        file = sample_file_of(deployment)
        content = _load(file.path, plan.folders) if file else None
        if file and content is not None and len(content) <= min(FILE_BYTES, left):
            found[deployment.name] = Sample(
                PurePath(file.path).name, file.media_type, base64.b64encode(content).decode()
            )
            left -= len(content)
    return found


def load_logo(plan: ApiPlan) -> Sample | None:
    """Loads the event's logo; None where there is none, or it is unreadable or too large."""
    path = plan.event.logo
    content = _load(path, plan.folders) if path else None
    if not path or content is None or len(content) > LOGO_BYTES:
        return None
    media_type = guess_media_type(path) or BYTES
    return Sample(PurePath(path).name, media_type, base64.b64encode(content).decode())


def _load(path: str, folders: Sequence[Path]) -> bytes | None:
    try:
        with resolve_folder(path, folders).open("rb") as opened:
            return opened.read(FILE_BYTES + 1)
    except OSError:
        return None


def load_known(plan: ApiPlan) -> Known:
    """Loads samples that are files, and what lock, cache and snapshot say about JumpStart models.

    Nothing is known about a model that they do not have.
    """
    models = {
        deployment.name: deployment.origin
        for deployment in plan.deployments
        if isinstance(deployment.origin, JumpStartModel)
    }
    words = _load_words(plan, models) if models else {}
    return Known(
        licences={name: said.licence_url for name, said in words.items() if said.licence_url},
        tasks={name: said.task for name, said in words.items()},
        samples=load_samples(plan),
        logo=load_logo(plan),
    )


def _load_words(plan: ApiPlan, models: Mapping[str, JumpStartModel]) -> dict[str, ModelWords]:
    from centralized_ml_api.catalog.catalog import open_catalog  # noqa: PLC0415  # only what uses it pays for it
    from centralized_ml_api.catalog.resolve import build_words  # noqa: PLC0415
    from centralized_ml_api.catalog.sources.lock import LOCK_NAME  # noqa: PLC0415

    region, words = find_region(None), dict[str, "ModelWords"]()
    try:
        catalog = open_catalog(plan.folders[-1] / LOCK_NAME, offline=True)
    except CatalogError:  # `mlapi check` says why; a model is served without it
        return words
    for name, model in models.items():
        try:
            spec = catalog.find(model.model_id, model.version, region).spec
            words[name] = build_words(spec, region=region, config=model.inference_config)
        except CatalogError:
            continue
    return words
