"""A file on disk -> a config that is known to be right, or every problem it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.registry import broken_rules
from centralized_ml_api.config.checks.subject import Subject
from centralized_ml_api.config.document import Document, load_document
from centralized_ml_api.config.model import Config
from centralized_ml_api.config.resolve import find_root
from centralized_ml_api.config.shape import validate_shape
from centralized_ml_api.errors import ConfigError, Problem

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config without errors, and what came with it.

    `path` is absolute. `root` is the project root: relative paths of the config start there, or else at the
    config's own folder. `warnings` are in file order.
    """

    config: Config
    path: Path
    root: Path
    document: Document
    warnings: tuple[Problem, ...]


def load_config(path: Path, *, now: datetime, region: str | None = None) -> LoadedConfig:
    """Reads a config and checks all of it.

    Args:
        path: the file; `.yaml` and `.yml` are read as YAML, all others as JSON.
        now: the present instant, with a zone: `ends` must lie after it.
        region: the region of the deployment, where known: package ARNs must be of it.

    Raises:
        ConfigError: there are errors; all of them and the warnings, in file order.
    """
    document = load_document(path)
    root = find_root(path)
    config, problems = validate_shape(document)
    subject = Subject(document, (root, path.absolute().parent), now, region)
    found = _in_file_order([*document.problems, *problems, *broken_rules(subject)])
    if config is None or any(problem.severity == "error" for problem in found):
        raise ConfigError(found, source=document.text)
    return LoadedConfig(config, path.absolute(), root, document, found)


def _in_file_order(problems: list[Problem]) -> tuple[Problem, ...]:
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda one: (one.place.line, one.place.column, one.id, one.place.path)))
