"""The example function's own modules, found as a function finds them: beside index.py."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.background import Background, start_background
from support.model_server import ModelServer, start_model_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FUNCTION = Path(__file__).parents[3] / "functions" / "example_function"


@pytest.fixture(scope="session")
def text_generation() -> Iterator[ModuleType]:
    yield from _imported("text_generation")


@pytest.fixture(scope="session")
def model_servers() -> Iterator[ModuleType]:
    yield from _imported("model_servers")


def _imported(name: str) -> Iterator[ModuleType]:
    sys.path.insert(0, str(FUNCTION))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(FUNCTION))


@pytest.fixture
def background() -> Iterator[Background]:
    with start_background() as running:
        yield running


@pytest.fixture
def model(background: Background) -> Iterator[ModelServer]:
    with start_model_server(background) as running:
        yield running
