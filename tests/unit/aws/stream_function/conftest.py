from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.background import Background, start_background
from support.streaming import Streaming, start_streaming

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="package")
def loop() -> Iterator[Background]:
    with start_background() as background:
        yield background


@pytest.fixture(scope="package")
def shared(loop: Background) -> Iterator[Streaming]:
    with start_streaming(loop) as streaming:
        yield streaming


@pytest.fixture
def streaming(shared: Streaming) -> Streaming:
    shared.model.asked.clear()
    return shared
