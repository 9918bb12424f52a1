from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)
    for name in ("HF_TOKEN", "HF_ENDPOINT", "MLAPI_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def body() -> bytes:
    return bytes(range(250)) * 4000


@pytest.fixture
def server(body: bytes) -> Iterator[FileServer]:
    with FileServer(body) as server:
        yield server
