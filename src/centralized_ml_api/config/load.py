"""A file on disk -> a config that is known to be correct, or every problem that it has."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.context import Context
from centralized_ml_api.config.checks.registry import broken_rules
from centralized_ml_api.config.collect import collect_problems
from centralized_ml_api.config.document import Document, SourceText, load_document
from centralized_ml_api.config.document.load import read_document
from centralized_ml_api.config.resolve import find_root, resolve_folder
from centralized_ml_api.config.schema import Config
from centralized_ml_api.config.shape import validate_shape
from centralized_ml_api.errors import ConfigError, Problem
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@record
class LoadedConfig:
    """A config and what was learned while reading it; one from `load_config` has no errors.

    `path` is absolute. `root` is the project root: relative paths of the config start there, or else at the
    config's own folder. `code_folders` says where each `code`, of a function or of a model, led when the
    config was read. `warnings` are in file order.
    """

    config: Config
    path: Path
    root: Path
    code_folders: Mapping[str, Path]
    document: Document
    warnings: tuple[Problem, ...]


def load_config(path: Path, *, now: datetime, region: str | None = None) -> LoadedConfig:
    """Reads a config and checks all of it.

    Args:
        path: The file; `.yaml` and `.yml` are read as YAML, all others as JSON.
        now: The present instant, with a zone: `ends` must lie after it.
        region: The region of the deployment, where known: package ARNs must be of it.

    Raises:
        ConfigError: There are errors; `problems` has all of them and the warnings, in file order.
    """
    loaded, problems = read_config(path, now=now, region=region)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(problems, source=loaded.document.text)
    return loaded


def read_config(
    path: Path, *, now: datetime, region: str | None = None
) -> tuple[LoadedConfig, tuple[Problem, ...]]:
    """Reads a config and checks all of it, for a caller that has more to check before it refuses the config.

    Args:
        path: The file; `.yaml` and `.yml` are read as YAML, all others as JSON.
        now: The present instant, with a zone: `ends` must lie after it.
        region: The region of the deployment, where known: package ARNs must be of it.

    Returns:
        The config, correct or not, and every error and warning in file order.

    Raises:
        ConfigError: The file cannot be read, or does not have the shape of a config.
    """
    document = load_document(path)
    root = find_root(path)
    config, found = _check(document, path, now, region)
    if config is None:
        raise ConfigError(found, source=document.text)
    warnings = tuple(problem for problem in found if problem.severity == "warning")
    folders = _code_folders(config, (root, path.absolute().parent))
    return LoadedConfig(config, path.absolute(), root, folders, document, warnings), found


def examine_config(
    path: Path, *, now: datetime, region: str | None = None
) -> tuple[Config | None, tuple[Problem, ...]]:
    """Reads a config and checks all of it without raising, for a caller that has other things to check.

    Args:
        path: The file; `.yaml` and `.yml` are read as YAML, all others as JSON.
        now: The present instant, with a zone: `ends` must lie after it.
        region: The region of the deployment, where known: package ARNs must be of it.

    Returns:
        The config if it has the shape of one, else None; and every error and warning, in file order.
    """
    try:
        document = load_document(path)
    except ConfigError as error:
        return None, error.problems
    return _check(document, path, now, region)


def check_text(path: Path, text: str, *, now: datetime) -> tuple[Problem, ...]:
    """Returns every error and warning that the config would have with another text, in file order.

    Args:
        path: The file that the text would be in.
        text: The whole text.
        now: The present instant, with a zone: `ends` must lie after it.

    Raises:
        ConfigError: The text cannot be read.
    """
    return _check(read_document(SourceText(str(path), text)), path, now, None)[1]


def _check(
    document: Document, path: Path, now: datetime, region: str | None
) -> tuple[Config | None, tuple[Problem, ...]]:
    config, problems = validate_shape(document)
    context = Context(document, (find_root(path), path.absolute().parent), now, region)
    return config, collect_problems(chain(document.problems, problems, broken_rules(context)))


def _code_folders(config: Config, roots: Sequence[Path]) -> dict[str, Path]:
    """Returns where each `code` leads, by what is written."""
    functions = [entry.integration.properties for entry in config.entries]
    parts = [*functions, *(entry.local for entry in config.entries)]
    codes = [code for part in parts if (code := getattr(part, "code", None)) is not None]
    return {code: resolve_folder(code, roots) for code in codes}
