"""What the doctor says of models that a provider hosts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.schema import Config
from centralized_ml_api.config.shape.read import read_object
from centralized_ml_api.local.doctor.providers import check_providers
from support.file_server import Answer, FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.plan.finding import Finding

API = {"type": "api"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("THE_KEY", "sk-secret")
    with FileServer(json.dumps({"data": [{"id": "m-1"}, {"id": "m-2"}]}).encode()) as server:
        yield server


def finding_of(folder: Path, provider: dict[str, Any], **entry: Any) -> Finding:
    written = {"name": "gpt", "integration": API, **({"provider": provider} if provider else {}), **entry}
    (found,) = check_providers(read_object(Config, {"endpoints": [written]}), (folder,))
    assert "sk-secret" not in f"{found.title}{found.detail}{found.fix}"
    return found


def openai(server: FileServer, **more: Any) -> dict[str, Any]:
    return {"name": "openai", "url": f"{server.url}/v1", "model": "m-1", "key": {"env": "THE_KEY"}, **more}


def test_a_key_that_works_and_a_model_that_exists(tmp_path: Path, server: FileServer) -> None:
    found = finding_of(tmp_path, openai(server))
    assert (found.check, found.severity) == ("provider", "ok")
    assert found.title == "gpt: openai takes the key and has m-1"


def test_a_model_that_does_not_exist(tmp_path: Path, server: FileServer) -> None:
    found = finding_of(tmp_path, openai(server, model="m-3"))
    assert (found.severity, found.detail) == ("error", "it has m-1, m-2")
    assert found.title == 'gpt: openai has no model "m-3" for this key'


def test_a_key_that_is_refused_or_missing(tmp_path: Path, server: FileServer) -> None:
    server.usual = Answer(status=401)
    found = finding_of(tmp_path, openai(server))
    assert (found.severity, found.title) == (
        "error",
        "gpt: openai refuses the key from the variable THE_KEY (401)",
    )
    missing = finding_of(tmp_path, openai(server, key={"file": "none"}))
    assert (missing.severity, missing.title) == (
        "error",
        f"gpt: the key file {tmp_path / 'none'} does not exist",
    )


def test_what_only_a_call_can_tell(tmp_path: Path, server: FileServer) -> None:
    found = finding_of(tmp_path, openai(server, name="huggingface"))
    assert (found.severity, found.title) == (
        "unknown",
        "gpt: huggingface answers; only a call can tell whether it takes the key",
    )


def test_a_provider_that_is_not_there_is_no_error_of_the_config(tmp_path: Path, server: FileServer) -> None:
    found = finding_of(tmp_path, openai(server, url="http://127.0.0.1:9/v1"))
    assert found.severity == "unknown"
    assert "127.0.0.1:9 was refused" in found.title


def test_a_server_without_a_key_and_another_home_on_this_machine(tmp_path: Path, server: FileServer) -> None:
    lab = {"url": f"{server.url}/v1", "model": "m-2"}
    host = server.url.removeprefix("http://")
    assert finding_of(tmp_path, lab).title == f"gpt: {host} answers and has m-2"
    local = {"engine": "provider", **lab}
    assert finding_of(tmp_path, openai(server), local=local).title == f"gpt: {host} answers and has m-2"
    rehearsal = {"engine": "url", "url": "http://127.0.0.1:9/x"}
    config = {"endpoints": [{"name": "gpt", "integration": API, "provider": lab, "local": rehearsal}]}
    assert list(check_providers(read_object(Config, config), ())) == []


def test_nothing_is_said_without_a_config() -> None:
    assert list(check_providers(None, ())) == []
