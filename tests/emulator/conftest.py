"""Collected only where the emulator is installed: `make emulator` installs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.configs import NAMES, Synthesized, synthesize_config
from emulator.process import Emulator, is_installed, start_emulator
from emulator.rest_apis import Both, serve_both
from support.background import Background, start_background
from support.model_server import ModelServer, start_model_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

collect_ignore_glob = [] if is_installed() else ["test_*.py"]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with start_emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    with start_background() as background:
        yield background


@pytest.fixture(scope="session")
def sagemaker(background: Background) -> Iterator[ModelServer]:
    """What answers as SageMaker's runtime API, to both."""
    with start_model_server(background) as server:
        yield server


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesized]:
    """Synthesizes one of `NAMES`, each once."""
    known: dict[str, Synthesized] = {}

    def find(name: str) -> Synthesized:
        if name not in known:
            known[name] = synthesize_config(name, tmp_path_factory.mktemp(f"app{NAMES.index(name)}"))
        return known[name]

    return find


@pytest.fixture(scope="module")
def open_api(
    emulator: Emulator,
    background: Background,
    sagemaker: ModelServer,
    synthesized: Callable[[str], Synthesized],
) -> Iterator[Both]:
    config = synthesized("open")
    with serve_both(emulator, background, config.document, config.objects, sagemaker.url) as both:
        yield both
