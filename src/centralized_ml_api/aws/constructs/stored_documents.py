"""What the API tells about itself, as files in the bucket that every CDK app of the account has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import FileAssetPackaging, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import IStackSynthesizer
    from constructs import Construct

    from centralized_ml_api.api.documents import ServedDocument


@dataclass(frozen=True, slots=True)
class Place:
    """An object in S3; `bucket` may be a CDK token."""

    bucket: str
    key: str


def store_documents(
    scope: Construct, documents: Iterable[ServedDocument], synthesizer: IStackSynthesizer
) -> list[tuple[ServedDocument, Place]]:
    """Each under a name that changes with its content: an older stage still finds what it served."""
    stage = Stage.of(scope)
    folder = Path(stage.outdir if stage else ".")
    return [(one, _store(synthesizer, folder, one)) for one in documents]


def _store(synthesizer: IStackSynthesizer, folder: Path, document: ServedDocument) -> Place:
    content = document.text.encode()
    digest = hashlib.sha256(content).hexdigest()
    ending = ".json" if document.content_type.endswith("json") else ".html"
    file = f"asset.{digest}{ending}"
    folder.joinpath(file).write_bytes(content)
    place = synthesizer.add_file_asset(
        source_hash=digest,
        file_name=file,
        packaging=FileAssetPackaging.FILE,
        display_name=document.path,
    )
    return Place(place.bucket_name, place.object_key)
