"""The Hugging Face hub: where it has files, what it lists of a repository, what a refusal means."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from centralized_ml_api.config.weights import HuggingFaceRepository, HuggingFaceWeights
from centralized_ml_api.errors import WeightsError
from centralized_ml_api.http_client import LOOPBACK
from centralized_ml_api.local.weights.https_download import Address, RefusedError, read_short_answer
from centralized_ml_api.local.weights.pipeline_files import INDEX, choose_files
from centralized_ml_api.local.weights.verification import check_digest, hash_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from centralized_ml_api.local.weights.progress import Monitor

_HUB = "https://huggingface.co"
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

    def verify(self, file: Path, monitor: Monitor, *, what: str) -> str:
        """Returns the SHA-256 of a file.

        Args:
            file: What came.
            monitor: Follows the hashing, and can end it.
            what: The file, for messages.

        Raises:
            WeightsError: It is not the file that the hub lists.
        """
        found = hash_file(file, monitor)
        if self.sha256:
            check_digest(found, self.sha256, what=what, origin="the hub")
        elif _blob_id(file) != self.blob_id:
            raise WeightsError(f"{what} is not the file that the hub lists", fix="try again")
        return found


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a repository that a pipeline needs, at one commit."""

    repository: str
    commit: str
    files: tuple[ListedFile, ...]

    @property
    def total_bytes(self) -> int:
        """The sum of their sizes."""
        return sum(file.size_bytes for file in self.files)

    def source_of(self, file: ListedFile) -> HuggingFaceWeights:
        """Returns where one of them is: at this commit, whatever the branch becomes meanwhile."""
        return HuggingFaceWeights(self.repository, file.path, self.commit)


def build_address(source: HuggingFaceWeights, environment: Mapping[str, str] = os.environ) -> Address:
    """Builds the address of a file on the hub or the mirror that `HF_ENDPOINT` names, with `HF_TOKEN`.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables

    Raises:
        WeightsError: The mirror is not served over https, so a token would travel in the clear.
    """
    path = f"{source.repository}/resolve/{quote(source.revision, safe='')}/{quote(source.file)}"
    return Address(f"{_find_hub(environment)}/{path}", environment.get("HF_TOKEN", ""))


def load_listing(source: HuggingFaceRepository, monitor: Monitor, *, once: bool = False) -> Listing:
    """Asks the hub which files a pipeline needs, in two requests.

    Source: https://huggingface.co/docs/hub/api (GET /api/models/{repo_id}/revision/{revision})

    Args:
        source: The repository.
        monitor: Can end the requests.
        once: Makes no second attempt.

    Raises:
        WeightsError: The hub cannot be asked, or the repository is not a diffusers pipeline.
    """

    def ask(address: Address) -> dict[str, Any]:
        value = json.loads(read_short_answer(address.asked_once() if once else address, monitor))
        if not isinstance(value, dict):
            raise TypeError("it is not a JSON object")
        return value

    path = f"api/models/{source.repository}/revision/{quote(source.revision, safe='')}?blobs=true"
    listing = Address(f"{_find_hub(os.environ)}/{path}", os.environ.get("HF_TOKEN", ""))
    try:
        commit, files = _read_files(ask(listing))
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


def explain_refusal(
    source: HuggingFaceWeights | HuggingFaceRepository,
    refusal: RefusedError,
    environment: Mapping[str, str] = os.environ,
) -> WeightsError:
    """Builds the error for 401 and 403 of the hub: terms to accept, a private repository, or none at all.

    Args:
        source: What was asked for.
        refusal: The hub's answer.
        environment: Says whether there is a token.
    """
    has_token = bool(environment.get("HF_TOKEN"))
    token = "make sure that the token in HF_TOKEN may read it" if has_token else "set HF_TOKEN to your token"
    return WeightsError(
        f"hf://{source.repository} is gated, private, or does not exist: {refusal.message}",
        fix=f"accept its terms at {_find_hub(environment)}/{source.repository}, then {token}",
    )


def _find_hub(environment: Mapping[str, str]) -> str:
    endpoint = environment.get("HF_ENDPOINT") or _HUB
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise WeightsError(f"HF_ENDPOINT is {endpoint}, which is not https", fix="set it to an https address")
    return endpoint.rstrip("/")


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


def _not_a_pipeline(source: HuggingFaceRepository, reason: str) -> WeightsError:
    return WeightsError(
        f"hf://{source.repository} is not a usable diffusers pipeline: {reason}",
        fix=f"check the name, or name one file of it: hf://{source.repository}/file",
    )


def _blob_id(file: Path) -> str:
    """Returns Git's name of a file.

    Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    data = file.read_bytes()
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
