"""Reads the lists of models that JumpStart publishes: open weights first, then proprietary ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.catalog.failures import MalformedSpecError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["open", "proprietary"]
MANIFESTS: dict[Kind, str] = {"open": "models_manifest.json", "proprietary": "proprietary-sdk-manifest.json"}
"""Rule 2: their keys in the bucket, the one to search first at the top."""

_TEXTS = ("model_id", "version", "spec_key")


@record
class Row:
    """One version of one model: `spec_key` is the key of its spec in the bucket.

    `min_version` is the SageMaker SDK whose rules the spec needs; `keywords` are the publisher's own.
    """

    model_id: str
    version: str
    spec_key: str
    min_version: str = "0"
    kind: Kind = "open"
    keywords: tuple[str, ...] = ()


def parse_manifest(document: Any, kind: Kind) -> tuple[Row, ...]:
    """Returns the rows of a manifest, in its order. Pure.

    Raises:
        MalformedSpecError: It is not a list of rows, or a row lacks something.
    """
    if not isinstance(document, list):
        raise MalformedSpecError(f"JumpStart's {MANIFESTS[kind]} is not a list of models")
    return tuple(_row(written, kind) for written in document)


def rows_of(model_id: str, rows: Iterable[Row]) -> list[Row]:
    """Returns the rows of a model (rule 2): those of the open weights, else the proprietary ones. Pure."""
    found = [row for row in rows if row.model_id == model_id]
    return [row for row in found if row.kind == "open"] or found


def _row(written: Any, kind: Kind) -> Row:
    if not isinstance(written, dict) or not all(isinstance(written.get(key), str) for key in _TEXTS):
        raise MalformedSpecError(f"a row of JumpStart's {MANIFESTS[kind]} lacks {', '.join(_TEXTS)}")
    keywords = written.get("search_keywords")
    return Row(
        model_id=written["model_id"],
        version=written["version"],
        spec_key=written["spec_key"],
        min_version=str(written.get("min_version") or "0"),
        kind=kind,
        keywords=tuple(str(keyword) for keyword in keywords) if isinstance(keywords, list) else (),
    )
