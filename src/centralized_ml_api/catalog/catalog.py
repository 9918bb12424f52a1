"""JumpStart's catalogue as a whole: which sources are asked in which order, and the facts of a model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.failures import OfflineError, SourceError, UnknownModelError
from centralized_ml_api.catalog.manifest import rows_of
from centralized_ml_api.catalog.resolve import resolve
from centralized_ml_api.catalog.rules.regions import find_buckets
from centralized_ml_api.catalog.rules.versions import NEWEST, select_row, unknown_version
from centralized_ml_api.catalog.sources.cache import SpecCache, cache_folder
from centralized_ml_api.catalog.sources.lock import LOCK_NAME, load_lock
from centralized_ml_api.catalog.sources.published import FolderBucket, PublishedSpecs, WebBucket
from centralized_ml_api.catalog.sources.snapshot import Snapshot
from centralized_ml_api.catalog.suggestion import closest
from centralized_ml_api.commands import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Unpack

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.catalog.manifest import Row
    from centralized_ml_api.catalog.resolve import Asked
    from centralized_ml_api.catalog.sources.lock import Lock
    from centralized_ml_api.catalog.sources.published import Bucket
    from centralized_ml_api.catalog.sources.source import Found, SpecSource

MIRROR_VARIABLE = "MLAPI_JUMPSTART_MIRROR"


class Catalog:
    """The sources, asked one after the other.

    A lock decides alone if there is one. A source that cannot be asked is skipped with one warning;
    `warnings` has all of them so far.
    """

    def __init__(
        self, sources: Sequence[SpecSource], *, lock: Lock | None = None, warnings: list[str] | None = None
    ) -> None:
        self._sources = tuple(sources)
        self._lock = lock
        self._sorted: dict[tuple[SpecSource, str], dict[str, list[Row]]] = {}
        self.warnings = [] if warnings is None else warnings

    def resolve(
        self, model_id: str, version: str = NEWEST, *, region: str, **asked: Unpack[Asked]
    ) -> ModelFacts:
        """Returns the facts of a model in a region.

        Args:
            model_id: JumpStart's id.
            version: A version or specifier; `*` is the newest.
            region: AWS's name of the region.
            asked: What the user asks of the model.

        Raises:
            CatalogError: There is no such model or version, or it cannot be deployed like this.
        """
        found = self.find(model_id, version, region)
        return resolve(found.spec, region=region, source=found.source, fidelity=found.fidelity, **asked)

    def find(self, model_id: str, version: str, region: str) -> Found:
        """Rules 2 and 3: returns the spec of a model, from the first source that has the version.

        Args:
            model_id: JumpStart's id.
            version: A version or specifier; `*` is the newest.
            region: AWS's name of the region.

        Raises:
            UnavailableError: JumpStart is not in that region.
            UnknownModelError: No source has the model.
            UnknownVersionError: No source that has the model has the version.
            LockError: There is a lock that does not have it.
        """
        find_buckets(region)
        if self._lock:
            return self._lock.find(model_id, version)
        known: list[Row] = []
        for source, rows in self._answering(region):
            of_model = rows_of(model_id, rows.get(model_id, ()))
            row = select_row(of_model, version)
            found = self._read(source, row, region) if row else None
            if found:
                return found
            known += of_model
        raise unknown_version(model_id, version, known) if known else self._unknown_model(model_id, region)

    def rows(self, region: str) -> list[Row]:
        """Returns every model once, sorted by id: its newest version in the first source that has it."""
        newest: dict[str, Row] = {}
        for _, rows in self._answering(region):
            for model_id in rows.keys() - newest.keys():
                row_found = select_row(rows[model_id], NEWEST)
                newest.update({model_id: row_found} if row_found else {})
        return sorted(newest.values(), key=lambda row: row.model_id)

    def _warn_of(self, what: str, why: SourceError) -> None:
        text = f"JumpStart's {what} could not be read: {why.message}; cached or shipped specs are used"
        if not isinstance(why, OfflineError) and text not in self.warnings:
            self.warnings.append(text)

    def _answering(self, region: str) -> Iterator[tuple[SpecSource, Mapping[str, Sequence[Row]]]]:
        """Yields the sources that can be asked, each with its rows by model."""
        for source in self._sources:
            try:
                rows = self._rows_by_model(source, region)
            except SourceError as error:
                self._warn_of("list of models", error)
            else:
                yield source, rows

    def _rows_by_model(self, source: SpecSource, region: str) -> Mapping[str, Sequence[Row]]:
        """Groups rows once: a config may ask for hundreds of models, of lists with thousands of rows."""
        rows = source.rows(region)
        if (source, region) not in self._sorted:
            by_model: dict[str, list[Row]] = {}
            for row in rows:
                by_model.setdefault(row.model_id, []).append(row)
            self._sorted[source, region] = by_model
        return self._sorted[source, region]

    def _read(self, source: SpecSource, row: Row, region: str) -> Found | None:
        try:
            return source.read(row, region)
        except SourceError as error:
            self._warn_of(f"entry of {row.model_id}", error)
            return None

    def _unknown_model(self, model_id: str, region: str) -> UnknownModelError:
        near = closest(model_id, (row.model_id for row in self.rows(region)))
        return UnknownModelError(
            f"JumpStart has no model {model_id} in {region}",
            found=f'"{model_id}"',
            expected=f"an id such as {', '.join(near)}" if near else "an id of JumpStart's list",
            fix=f'write "{near[0]}"' if near else f"choose one from the list: {command('models')}",
        )


def open_catalog(
    config: Path | None = None, *, offline: bool = False, environment: Mapping[str, str] = os.environ
) -> Catalog:
    """Opens the catalogue for a config: its lock, the cache, JumpStart or a mirror, the shipped snapshot.

    The network is not used before a model is asked for.

    Args:
        config: The file; a lock is looked for beside it.
        offline: Uses the lock, the cache, a mirror folder and the snapshot only.
        environment: `MLAPI_JUMPSTART_MIRROR` names a folder or address with the layout of JumpStart's bucket;
            `MLAPI_CACHE` the folder of the cache.

    Raises:
        LockError: The lock file is damaged.
        MirrorError: The mirror does not exist.
    """
    warnings: list[str] = []
    cache = SpecCache(cache_folder(environment), warnings.append)
    mirror = environment.get(MIRROR_VARIABLE, "")
    bucket: Bucket
    if mirror and not mirror.startswith(("http://", "https://")):
        bucket = FolderBucket(Path(mirror).expanduser())
    else:
        bucket = WebBucket(cache, warnings.append, mirror=mirror or None, offline=offline)
    lock = load_lock(config.parent / LOCK_NAME, config) if config else None
    return Catalog([PublishedSpecs(bucket), Snapshot()], lock=lock, warnings=warnings)
