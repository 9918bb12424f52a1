"""The environment of the function that passes keys on."""

from __future__ import annotations

import pytest

from support.key_function import ENVIRONMENT


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function's environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
