"""The examples that `mlapi init --example` brings: configs of this project, with every file that they name.

They exist once, at the root of the repository, where this project serves them itself. A wheel has a copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from centralized_ml_api.config.document.load import load_document
from centralized_ml_api.config.sample import FILE_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = {
    "functions": "models.json",
    "showcase": "showcase.json",
    "showcase-small": "showcase-small.json",
    "teams": "teams.json",
}
"""The config of each example; users' scripts hold on to the names."""

_FOLDER = "examples"
"""Where the build back end puts the examples in a wheel, below the package."""

_NAMING_KEYS = ("code", FILE_KEY)
_SCHEMA_LINE = '  "$schema":'


@dataclass(frozen=True, slots=True)
class Example:
    """A config and what it needs.

    Attributes:
        text: The config, without the `$schema` that leads to a file of this project.
        named: The folders and files that it names, relative to the project root; none is in another.
        files: Every file below those, by its path relative to the project root.
    """

    text: str
    named: tuple[str, ...]
    files: dict[str, bytes]


def load_example(name: str) -> Example:
    """Loads the example of that name, one of `EXAMPLES`.

    Raises:
        OSError: A file of this installation is missing.
    """
    home = _find_home()
    config = home / "config" / EXAMPLES[name]
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(_SCHEMA_LINE))
    all_named = dict.fromkeys(_list_named(load_document(config).value))
    named = tuple(path for path in all_named if str(PurePosixPath(path).parent) not in all_named)
    found = [file for path in named for file in _list_files(home / path)]
    return Example(text, named, {file.relative_to(home).as_posix(): file.read_bytes() for file in found})


def _find_home() -> Path:
    """Returns the folder with `config/`, `functions/` and `models/`: in the package, or a clone's root."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / _FOLDER
    return shipped if shipped.is_dir() else package.parents[1]


def _list_named(value: object) -> Iterator[str]:
    """Yields every folder and file that a config names, in file order."""
    if isinstance(value, list):
        for member in value:
            yield from _list_named(member)
    elif isinstance(value, dict):
        for key, member in value.items():
            if key in _NAMING_KEYS and isinstance(member, str):
                yield member
            else:
                yield from _list_named(member)


def _list_files(path: Path) -> list[Path]:
    """Returns the file, or the files below the folder without what Python compiled."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in files if file.is_file() and file.parent.name != "__pycache__"]
