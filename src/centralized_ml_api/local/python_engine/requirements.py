"""What an environment depends on: `requirements.txt` with all that it refers to, this Python and platform."""

from __future__ import annotations

import hashlib
import re
import sys
import sysconfig
from importlib.metadata import version
from typing import TYPE_CHECKING

from centralized_ml_api.local.machine.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "requirements.txt"
LIBRARY = "waitress"

_KEY_LENGTH = 16
_LAYOUT = "1"
"""Changes when we build environments in another way."""

_COMMENT = re.compile(r"(^|\s)#.*")
_REFERS = re.compile(r"(?:-r|-c|--requirement|--constraint)[\s=]*(.+)")
_WORDS = re.compile(r"[\s=@,]+")


def find_requirements(code: Path) -> Path | None:
    """The folder's `requirements.txt`, if it has one."""
    file = code / FILE
    return file if file.is_file() else None


def build_key(code: Path) -> str:
    """The name of the environment that fits the folder: equal for folders whose requirements mean the same.

    Comments and blank lines do not count. A file or folder of this machine that a line names
    (`./my-wheel.whl`, `-e ../lib`) counts with its place and its content.
    """
    digest = hashlib.sha256()
    for fact in (*_machine(), *_lines(code / FILE, code, set())):
        digest.update(fact.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()[:_KEY_LENGTH]


def _machine() -> tuple[str, ...]:
    return (_LAYOUT, sys.version, sys.base_prefix, sysconfig.get_platform(), version(LIBRARY))


def _lines(file: Path, folder: Path, seen: set[Path]) -> Iterator[str]:
    """The lines of a requirements file and of those that it refers to."""
    if file in seen or not file.is_file():
        return
    seen.add(file)
    for raw in file.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        line = _COMMENT.sub("", raw).strip()
        referred = _REFERS.match(line)
        if referred:
            yield from _lines(file.parent / referred[1].strip(), folder, seen)
        elif line:
            yield line
            yield from _local_facts(line, folder)


def _local_facts(line: str, folder: Path) -> Iterator[str]:
    for word in _WORDS.split(line):
        path = folder / word.removeprefix("file://").strip("\"'")
        if ("/" in word or word.startswith(".")) and path.exists():
            yield f"{path.resolve()} {fingerprint(path)}"
