from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.file_server import FileServer
from support.proxy_server import clear_proxies

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_proxies(monkeypatch)
    for name in ("HF_TOKEN", "HF_ENDPOINT", "MLAPI_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def body() -> bytes:
    return bytes(range(250)) * 4000


@pytest.fixture
def server(body: bytes) -> Iterator[FileServer]:
    with FileServer(body) as server:
        yield server
