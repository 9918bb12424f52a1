"""The examples are this project's own configs, with every file that they name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from centralized_ml_api.config.examples import EXAMPLES, load_example
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.sample import file_of

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_every_config_of_the_project_is_an_example() -> None:
    assert {path.name for path in (ROOT / "config").iterdir()} == set(EXAMPLES.values())


@pytest.mark.parametrize(("name", "file"), EXAMPLES.items())
def test_an_example_is_the_config_without_the_address_of_the_schema(name: str, file: str) -> None:
    written = json.loads((ROOT / "config" / file).read_text())
    assert written.pop("$schema") == "../src/centralized_ml_api/config/models.schema.json"
    assert json.loads(load_example(name).text) == written


@pytest.mark.parametrize(("name", "file"), EXAMPLES.items())
def test_an_example_brings_what_its_config_names(name: str, file: str) -> None:
    loaded = load_config(ROOT / "config" / file, now=NOW)
    samples = {path for entry in loaded.config.entries if (path := file_of(entry.sample))}
    example = load_example(name)
    assert set(example.named) | samples == set(loaded.code_folders) | samples
    assert samples <= example.files.keys()
    for path, content in example.files.items():
        assert (ROOT / path).read_bytes() == content
        assert "__pycache__" not in path
    for folder in loaded.code_folders:
        sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob("*.py")}
        assert sources
        assert sources <= example.files.keys()
