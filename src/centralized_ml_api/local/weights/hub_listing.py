"""What the hub says of a repository: its commit, its files, their sizes and digests."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.weights import HuggingFaceRepository, HuggingFaceWeights
from centralized_ml_api.errors import WeightsError
from centralized_ml_api.local.weights.digest import check_digest, hash_file
from centralized_ml_api.local.weights.hugging_face import (
    build_address,
    build_listing_address,
    explain_refusal,
)
from centralized_ml_api.local.weights.pipeline_files import INDEX, choose_files
from centralized_ml_api.local.weights.web import read_whole
from centralized_ml_api.local.weights.web_errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.local.weights.connection import Address
    from centralized_ml_api.local.weights.watch import Watch

_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file: `sha256` of a large one (kept by LFS), else None; `blob_id` is Git's own name of a small one.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/hf_api (RepoSibling)
    """

    path: str
    size_bytes: int
    sha256: str | None
    blob_id: str

    def verify(self, file: Path, watch: Watch, *, what: str) -> str:
        """The SHA-256 of `file`.

        Raises:
            WeightsError: it is not the file that the hub lists.
        """
        found = hash_file(file, watch)
        if self.sha256:
            check_digest(found, self.sha256, what=what, origin="the hub")
        elif _blob_id(file) != self.blob_id:
            raise WeightsError(f"{what} is not the file that the hub lists", fix="try again")
        return found


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that are wanted of a repository, at one commit."""

    repository: str
    commit: str
    files: tuple[ListedFile, ...]

    @property
    def total_bytes(self) -> int:
        """What they take together."""
        return sum(file.size_bytes for file in self.files)

    def source_of(self, file: ListedFile) -> HuggingFaceWeights:
        """Where one of them is: at this commit, whatever the branch becomes meanwhile."""
        return HuggingFaceWeights(self.repository, file.path, self.commit)


def load_listing(source: HuggingFaceRepository, watch: Watch, *, patient: bool = True) -> Listing:
    """Asks the hub which files a pipeline needs: two requests, each repeated when `patient`.

    Raises:
        WeightsError: it cannot be asked, or the repository is no diffusers pipeline.
    """

    def ask(address: Address) -> dict[str, Any]:
        return _read_object(read_whole(address if patient else address.asked_once(), watch))

    try:
        commit, files = _read_files(ask(build_listing_address(source)))
        if INDEX not in files:
            raise _not_a_pipeline(source, f"it has no {INDEX}")
        index = ask(build_address(HuggingFaceWeights(source.repository, INDEX, commit)))
        chosen = choose_files(files, index)
    except RefusedError as exc:
        raise explain_refusal(source, exc) from exc
    except ValueError as exc:
        raise _not_a_pipeline(source, str(exc)) from exc
    except (KeyError, TypeError, AttributeError) as exc:
        raise _not_a_pipeline(source, f"the hub's answer is not as expected ({exc})") from exc
    return Listing(source.repository, commit, tuple(files[path] for path in chosen))


def _read_files(listed: Mapping[str, Any]) -> tuple[str, dict[str, ListedFile]]:
    commit = listed["sha"]
    if not _COMMIT.fullmatch(commit):  # it becomes the name of a folder
        raise ValueError("the hub names no commit")
    files = [_read_file(sibling) for sibling in listed["siblings"]]
    return commit, {file.path: file for file in files}


def _read_file(sibling: Mapping[str, Any]) -> ListedFile:
    large = sibling.get("lfs")
    return ListedFile(
        path=sibling["rfilename"],
        size_bytes=int(large["size"] if large else sibling["size"]),
        sha256=str(large["sha256"]) if large else None,
        blob_id=sibling["blobId"],
    )


def _read_object(text: bytes) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError("the hub did not answer with a JSON object")
    return value


def _not_a_pipeline(source: HuggingFaceRepository, reason: str) -> WeightsError:
    return WeightsError(
        f"hf://{source.repository} cannot be taken as a diffusers pipeline: {reason}",
        fix=f"check the name, or name one file of it: hf://{source.repository}/file",
    )


def _blob_id(file: Path) -> str:
    """Git's name of a file. Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects ."""
    data = file.read_bytes()
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
