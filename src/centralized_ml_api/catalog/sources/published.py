"""Specs as JumpStart publishes them: manifests that list them, one document each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.failures import MalformedSpecError, SourceError
from centralized_ml_api.catalog.manifest import MANIFESTS, parse_manifest
from centralized_ml_api.catalog.sources.source import Found

if TYPE_CHECKING:
    from centralized_ml_api.catalog.facts import Source
    from centralized_ml_api.catalog.manifest import Kind, Row
    from centralized_ml_api.catalog.sources.bucket import Bucket


class PublishedSpecs:
    """The manifests and specs of a bucket; each is asked for once for each region."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._found: dict[tuple[str, str], Found] = {}
        self._rows: dict[str, tuple[Row, ...] | SourceError] = {}

    def rows(self, region: str) -> tuple[Row, ...]:
        """Rule 2: the rows of the open weights, then the proprietary ones, of which there may be none."""
        if region not in self._rows:
            self._rows[region] = self._all_rows(region)
        found = self._rows[region]
        if isinstance(found, SourceError):
            raise found
        return found

    def read(self, row: Row, region: str) -> Found:
        """The spec of a row."""
        place = (row.spec_key, region)
        if place not in self._found:
            self._found[place] = Found(*self._document(row.spec_key, region))
        return self._found[place]

    def _all_rows(self, region: str) -> tuple[Row, ...] | SourceError:
        try:
            return (*self._manifest("open", region), *self._proprietary(region))
        except SourceError as error:
            return error

    def _manifest(self, kind: Kind, region: str) -> tuple[Row, ...]:
        try:
            return parse_manifest(self._document(MANIFESTS[kind], region)[0], kind)
        except MalformedSpecError as error:
            raise SourceError(error.message) from error

    def _proprietary(self, region: str) -> tuple[Row, ...]:
        try:
            return self._manifest("proprietary", region)
        except SourceError:
            return ()

    def _document(self, key: str, region: str) -> tuple[Any, Source]:
        text, source = self._bucket.get(key, region)
        try:
            return json.loads(text), source
        except ValueError as error:
            raise SourceError(f"JumpStart's {key} is no JSON: {error}") from error
