"""The command line in an empty folder, with a mirror of JumpStart and nothing of the user's."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import pytest

from support import verbs
from support.jumpstart import make_spec, write_mirror

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.local_api import Ran


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No AWS settings, no key, no cache but that of the test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("MLAPI_KEY", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("MLAPI_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def mirror(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror of JumpStart with two models, one of them behind a licence; it is what verbs ask."""
    gated = make_spec(model_id="acme-vlm-gated", hosting_eula_key="eula.txt")
    folder = write_mirror(tmp_path_factory.mktemp("mirror"), make_spec(), gated)
    monkeypatch.setenv("MLAPI_JUMPSTART_MIRROR", str(folder))
    return folder


@pytest.fixture
def mlapi(tmp_path: Path, mirror: Path) -> Callable[..., Ran]:
    """Runs a verb in an empty folder, with the mirror."""
    del mirror
    return functools.partial(verbs.mlapi, cwd=tmp_path)
