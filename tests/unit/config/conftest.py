"""A project folder, a config without problems, and a fixed present for the tests of configs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def good_text() -> str:
    return (Path(__file__).parent / "good.json").read_text()


@pytest.fixture
def good(good_text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(good_text)
    return value


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project root with the folders that the good config names."""
    root = tmp_path_factory.mktemp("project")
    function, model = root / "functions/example_function", root / "models/ocr"
    for folder in (root / "config", function, model):
        folder.mkdir(parents=True)
    (root / "cdk.json").write_text("{}")
    (root / "keys").mkdir()
    for name, mode in (("open", 0o644), ("own", 0o600)):
        (root / "keys" / name).write_text("a-key")
        (root / "keys" / name).chmod(mode)
    (function / "index.py").write_text("def lambda_handler(event, context):\n    return {}\n")
    (model / "sample.png").write_bytes(b"\x89PNG")
    (root / "logo.png").write_bytes(b"\x89PNG")
    (model / "inference.py").write_text("def model_fn(folder):\n    return None\n")
    return root


@pytest.fixture
def problems_of(project: Path) -> Callable[..., tuple[Problem, ...]]:
    """Writes a config into the project and gives every problem it has."""

    def check(
        config: str | dict[str, Any], suffix: str = ".json", region: str | None = None
    ) -> tuple[Problem, ...]:
        path = project / f"config/checked{suffix}"
        path.write_text(config if isinstance(config, str) else json.dumps(config, indent=2))
        try:
            return load_config(path, now=NOW, region=region).warnings
        except ConfigError as error:
            return error.problems

    return check
