"""A file on disk -> a document; its suffix says whether it is read as JSON or as YAML."""

from __future__ import annotations

import codecs
import stat
from typing import TYPE_CHECKING

from centralized_ml_api.commands import command
from centralized_ml_api.config.document import rules
from centralized_ml_api.config.document.document import SourceText
from centralized_ml_api.config.document.json_reader import read_json
from centralized_ml_api.errors import ConfigError, Location

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.config.document.document import Document

YAML_SUFFIXES = frozenset({".yaml", ".yml"})
_STREAMS = ("/dev/stdin", "/dev/fd/")
"""The names under which a config can be piped in; any other pipe may never end."""

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def load_document(path: Path) -> Document:
    """Reads a file; `.yaml` and `.yml` as YAML, everything else as JSON.

    Raises:
        ConfigError: The file cannot be read, or is not what its name says; exactly one problem.
    """
    return read_document(SourceText(str(path), _decoded(path, _content(path))))


def read_document(source: SourceText) -> Document:
    """Reads a text that is at hand; the suffix of its file name decides how.

    Raises:
        ConfigError: It is not what its name says; exactly one problem.
    """
    if not is_yaml(source.file):
        return read_json(source)
    from centralized_ml_api.config.document.yaml_reader import read_yaml  # noqa: PLC0415  # JSON needs none

    return read_yaml(source)


def is_yaml(file: str) -> bool:
    """Returns whether a file of that name is read as YAML."""
    return file.lower().endswith(tuple(YAML_SUFFIXES))


def _content(path: Path) -> bytes:
    try:
        _refuse_endless(path)
        with path.open("rb") as file:
            content = file.read(rules.LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        found, fix = _reason(path, error)
        problem = rules.UNREADABLE.problem(
            _start(path), found=found, expected="a file in JSON or YAML", fix=fix
        )
        raise ConfigError([problem]) from error
    if len(content) > rules.LARGEST_BYTES:
        expected = f"at most {rules.LARGEST_BYTES // 2**20} MiB"
        raise ConfigError([rules.TOO_LARGE.problem(_start(path), expected=expected)])
    return content


def _refuse_endless(path: Path) -> None:
    """Refuses pipes, sockets and devices, because opening or reading them may take for ever.

    Raises:
        _NotRegularError: It is one.
        OSError: Its type cannot be read.
    """
    mode = path.stat().st_mode
    named_stream = str(path).startswith(_STREAMS)
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or named_stream):
        raise _NotRegularError


class _NotRegularError(OSError):
    """A pipe, a socket or a device."""


def _reason(path: Path, error: Exception) -> tuple[str, str]:
    """Returns what was found, and how to fix it."""
    match error:
        case FileNotFoundError():
            return (
                "no file with this name",
                f"name an existing file, or create this one: {command('init', path)}",
            )
        case IsADirectoryError():
            return "a folder", f"name a file in it, such as {path / 'models.json'}"
        case PermissionError():
            return "a file that you are not allowed to read", f"chmod u+r {path}"
        case _NotRegularError():
            return "a pipe, a socket or a device", "name a file, or pipe the config in as /dev/stdin"
        case OSError(strerror=str(reason)):
            return reason, ""
        case _:
            return str(error), ""


def _decoded(path: Path, content: bytes) -> str:
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _undecodable(path, content, error.start) from error


def _undecodable(path: Path, content: bytes, start: int) -> ConfigError:
    text = content.decode(errors="replace")
    before = content[:start].decode(errors="replace")
    problem = rules.ENCODING.problem(
        SourceText(str(path), text).location(len(before), len(before) + 1),
        found="UTF-16" if content.startswith(_UTF16_MARKS) else f"the byte 0x{content[start]:02x}",
        expected="UTF-8",
        fix="save the file as UTF-8",
    )
    return ConfigError([problem], source=text)


def _start(path: Path) -> Location:
    return Location(str(path), 1, 1, "$")
