"""The files that Envoy reads, on disk: each is put in place at once, and whatever goes wrong says where."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.xds import Snapshot, build_clusters_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.local.envoy.settings import Files


def write_file(path: Path, text: str) -> None:
    """Puts a file in place at once: nobody ever reads half of it.

    Raises:
        StartError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    with refuse_unwritable(path):
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        new.replace(path)


def make_folders(files: Files) -> None:
    """Makes the folders that are not there; only this user may look into the gateway's own.

    Raises:
        StartError: they cannot be made.
    """
    with refuse_unwritable(files.folder):
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.folder.chmod(0o700)
        files.endpoints.mkdir(mode=0o700, exist_ok=True)
    with refuse_unwritable(files.access_log.parent):
        files.access_log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_snapshot(files: Files, snapshot: Snapshot) -> None:
    """Puts every dynamic file in place, for an Envoy that has yet to start.

    Raises:
        StartError: one cannot be written.
    """
    make_folders(files)
    for name, document in snapshot.endpoints.items():
        write_file(files.endpoints_of(name), document.text)
    for name, document in snapshot.limits.items():
        write_file(files.limit_of(name), document.text)
    write_file(files.clusters, build_clusters_document(snapshot.clusters).text)
    write_file(files.routes, snapshot.routes.text)
    remove_stale_endpoints(files, snapshot)


def remove_stale_endpoints(files: Files, snapshot: Snapshot) -> None:
    """Removes the endpoint files of upstreams that are no more.

    Raises:
        StartError: one cannot be removed.
    """
    wanted = {files.endpoints_of(name) for name in snapshot.endpoints}
    with refuse_unwritable(files.endpoints):
        for path in sorted(set(files.endpoints.iterdir()) - wanted):
            path.unlink()


@contextlib.contextmanager
def refuse_unwritable(path: Path) -> Iterator[None]:
    """Whatever the disk refuses within the block is a `StartError` that names `path` and the reason."""
    try:
        yield
    except OSError as error:
        raise StartError(
            f"the gateway's {path} cannot be written: {error.strerror or error}",
            fix="make room on the disk, or let this user write there",
        ) from error
