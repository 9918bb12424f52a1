"""Specs as JumpStart publishes them, in its bucket or a mirror of it, and the manifests that list them."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import quote

from centralized_ml_api.catalog.failures import MalformedSpecError, MirrorError, OfflineError, SourceError
from centralized_ml_api.catalog.manifest import MANIFESTS, parse_manifest
from centralized_ml_api.catalog.rules.regions import find_buckets
from centralized_ml_api.catalog.sources.cache import Cached
from centralized_ml_api.catalog.sources.source import Found

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.catalog.facts import Source
    from centralized_ml_api.catalog.manifest import Kind, Row
    from centralized_ml_api.catalog.sources.cache import SpecCache


class Bucket(Protocol):
    """Where documents are read from."""

    def get(self, key: str, region: str) -> tuple[str, Source]:
        """Returns the text of a document, and where it is from.

        Raises:
            AbsentError: There is no such document, or it is not public.
            SourceError: The bucket could not be asked.
        """
        ...


class AbsentError(SourceError):
    """The bucket does not have this document."""


class WebBucket:
    """JumpStart's public bucket of each region, or a mirror of it, asked only for what changed.

    After it could not be reached once, only the cache is read, as with `offline`.

    Args:
        cache: Documents that came before.
        warn: Called once if the bucket cannot be asked and the cache is used instead.
        mirror: The address of a mirror; without it, JumpStart itself.
        offline: Whether to ask nothing at all.
    """

    def __init__(
        self,
        cache: SpecCache,
        warn: Callable[[str], None],
        *,
        mirror: str | None = None,
        offline: bool = False,
    ) -> None:
        self._cache = cache
        self._warn = warn
        self._told = False
        self._mirror = mirror
        self._name: Literal["live", "mirror"] = "mirror" if mirror else "live"
        self._down: SourceError | None = OfflineError("nothing is looked up") if offline else None

    def get(self, key: str, region: str) -> tuple[str, Source]:
        """Returns a document, from the cache if it did not change or the bucket cannot be asked.

        Raises:
            AbsentError: There is no such document, or it is not public.
            SourceError: The bucket cannot be asked, and the cache does not have it.
        """
        url = f"{self._root(region)}/{quote(key)}"
        cached = self._cache.load(url)
        try:
            return self._ask(url, cached)
        except AbsentError:
            raise
        except SourceError as error:
            if cached is None:
                raise
            self._tell(error)
            return cached.text, "cache"

    def _root(self, region: str) -> str:
        return self._mirror.rstrip("/") if self._mirror else find_buckets(region).content_url

    def _tell(self, error: SourceError) -> None:
        if not (self._told or isinstance(error, OfflineError)):
            self._told = True
            self._warn(f"JumpStart could not be asked: {error.message}; cached responses are used")

    def _ask(self, url: str, cached: Cached | None) -> tuple[str, Source]:
        if self._down:
            raise self._down
        from centralized_ml_api.catalog.sources.web import fetch  # noqa: PLC0415  # only who asks pays for it

        try:
            answer = fetch(url, {"If-None-Match": cached.etag} if cached and cached.etag else {})
        except SourceError as error:
            self._down = error
            raise
        if answer.status == HTTPStatus.NOT_MODIFIED and cached:
            return cached.text, "cache"
        if answer.status != HTTPStatus.OK:
            raise _refused(url, answer.status)
        _check_json(url, answer.text)
        self._cache.save(Cached.of(url, answer.etag, answer.text))
        return answer.text, self._name


class FolderBucket:
    """A mirror of the bucket in a folder.

    Raises:
        MirrorError: There is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise MirrorError(
                f"MLAPI_JUMPSTART_MIRROR names {folder}, which is not a folder",
                fix="name a folder or an https:// address with the layout of JumpStart's bucket",
            )
        self._folder = folder

    def get(self, key: str, region: str) -> tuple[str, Source]:
        """Returns the file of that name below the folder, never one outside of it.

        Raises:
            AbsentError: There is no such file.
            SourceError: It cannot be read.
        """
        del region
        if ".." in PurePosixPath(key).parts or PurePosixPath(key).is_absolute():
            raise AbsentError(f"{key} is outside of the mirror {self._folder}")
        try:
            return (self._folder / key).read_text(encoding="utf-8"), "mirror"
        except FileNotFoundError:
            raise AbsentError(f"the mirror {self._folder} has no {key}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{self._folder / key} cannot be read: {error}") from error


class PublishedSpecs:
    """The manifests and specs of a bucket; each is read once per region."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._found: dict[tuple[str, str], Found] = {}
        self._rows: dict[str, tuple[Row, ...] | SourceError] = {}

    def rows(self, region: str) -> tuple[Row, ...]:
        """Returns the rows of the open weights, then the proprietary ones, if there are any (rule 2).

        Raises:
            SourceError: The bucket cannot be asked.
        """
        if region not in self._rows:
            self._rows[region] = self._all_rows(region)
        found = self._rows[region]
        if isinstance(found, SourceError):
            raise found
        return found

    def read(self, row: Row, region: str) -> Found:
        """Returns the spec of a row.

        Raises:
            SourceError: The bucket cannot be asked, or does not have it.
        """
        key = (row.spec_key, region)
        if key not in self._found:
            self._found[key] = Found(*self._document(row.spec_key, region))
        return self._found[key]

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
            raise SourceError(f"JumpStart's {key} is not JSON: {error}") from error


def _check_json(url: str, text: str) -> None:
    """Refuses what is not JSON: the login page of a hotel's network must not get into the cache."""
    try:
        json.loads(text)
    except ValueError as error:
        raise SourceError(f"{url} did not answer with JSON") from error


def _refused(url: str, status: int) -> SourceError:
    if status == HTTPStatus.FORBIDDEN:  # also S3's answer for a missing key if the bucket may not be listed
        return AbsentError(
            f"{url} is not public (403): it does not exist, or something on the way to it refuses"
        )
    if status == HTTPStatus.NOT_FOUND:
        return AbsentError(f"{url} does not exist (404)")
    return SourceError(f"{url} answered with status {status}")
