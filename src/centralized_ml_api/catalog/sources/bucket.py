"""Objects by their key: in JumpStart's own bucket, in a mirror on the web, or in a mirror folder."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import quote

from centralized_ml_api.catalog.failures import MirrorError, OfflineError, SourceError
from centralized_ml_api.catalog.rules.regions import find_buckets
from centralized_ml_api.catalog.sources.cache import Cached

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.catalog.facts import Source
    from centralized_ml_api.catalog.sources.cache import SpecCache


class Bucket(Protocol):
    """Where documents are read from."""

    def get(self, key: str, region: str) -> tuple[str, Source]:
        """The text of a document, and whence it came.

        Raises:
            AbsentError: there is no such document, or it is not public.
            SourceError: the bucket could not be asked.
        """
        ...


class AbsentError(SourceError):
    """The bucket answers, but not with this document."""


class WebBucket:
    """JumpStart's public bucket of each region, or a mirror of it, asked only for what changed.

    Once it could not be reached it is not asked again: what is cached answers, as it does when `offline`.

    Args:
        cache: what came before.
        warn: is told, once, when the bucket cannot be asked and the cache stands in for it.
        mirror: the address of a mirror; without it, JumpStart itself.
        offline: whether to ask nothing at all.
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
        """The document, from the cache where it did not change or the bucket cannot be asked."""
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
            self._warn(f"JumpStart could not be asked: {error.message}; what is cached is used")

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
        MirrorError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise MirrorError(
                f"MLAPI_JUMPSTART_MIRROR names {folder}, which is no folder",
                fix="name a folder or an https:// address that is laid out as JumpStart's bucket is",
            )
        self._folder = folder

    def get(self, key: str, region: str) -> tuple[str, Source]:
        """The file of that name below the folder, never one outside of it."""
        del region
        if ".." in PurePosixPath(key).parts or PurePosixPath(key).is_absolute():
            raise AbsentError(f"{key} lies outside of the mirror {self._folder}")
        try:
            return (self._folder / key).read_text(encoding="utf-8"), "mirror"
        except FileNotFoundError:
            raise AbsentError(f"the mirror {self._folder} has no {key}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{self._folder / key} cannot be read: {error}") from error


def _check_json(url: str, text: str) -> None:
    """Whether it is JSON: the page of a hotel's network, for one, must not get into the cache."""
    try:
        json.loads(text)
    except ValueError as error:
        raise SourceError(f"{url} was answered with something else than JSON") from error


def _refused(url: str, status: int) -> SourceError:
    if status == HTTPStatus.FORBIDDEN:  # S3's word for "not there" to those who may not list a bucket
        return AbsentError(
            f"{url} is not to be had without credentials (403): it is not there, or something on the "
            "way to it refuses"
        )
    if status == HTTPStatus.NOT_FOUND:
        return AbsentError(f"{url} does not exist (404)")
    return SourceError(f"{url} was answered with the status {status}")
