"""The OpenAPI document is what is served: tools that know nothing but it may rely on it."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.local_api import LocalApi, start_local_api
from support.odd_server import OddServer

if TYPE_CHECKING:
    from collections.abc import Iterator


BIN = Path(sys.executable).parent
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)

OPERATIONS = 9
"""Three models, chats, two lists, and what the API tells about itself, at the least."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    with OddServer() as odd:
        entries = [
            entry("same", odd.port, "/same", sample={"text": "hi"}),
            entry("chat", odd.port, "/chat", speaks="openai-chat"),
            entry("image", odd.port, "/same", takes="image/png", gives="image/png"),
        ]
        config = {"models": [], "endpoints": entries}
        with start_local_api(tmp_path_factory.mktemp("openapi"), config) as started:
            yield started.wait_serving()


def entry(name: str, port: int, path: str, speaks: str = "", **more: Any) -> dict[str, Any]:
    local = {
        "engine": "url",
        "url": f"http://127.0.0.1:{port}{path}",
        **({"speaks": speaks} if speaks else {}),
    }
    return {"name": name, "integration": {"type": "api"}, "local": local, **more}


def run(folder: Path, *command: str) -> str:
    """What it prints; fails with it where it does not end well."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_api_keeps_to_its_document(api: LocalApi, tmp_path: Path) -> None:
    """Requests made from the document alone: no status, type, header or body that it does not speak of."""
    flags = ("--max-examples", "10", "--generation-deterministic", "--mode", "positive")
    said = run(tmp_path, "st", "run", f"{api.url}/openapi.json", *flags, "--checks", ",".join(CHECKS))
    found = re.search(r"Tested: (\d+)", said)
    assert found
    assert int(found[1]) >= OPERATIONS


@pytest.mark.slow
def test_a_generated_client_works(api: LocalApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ("--output-path", "generated_client", "--meta", "none")
    run(tmp_path, "openapi-python-client", "generate", "--url", f"{api.url}/openapi.json", *flags)
    monkeypatch.syspath_prepend(tmp_path)
    client = importlib.import_module("generated_client").Client(base_url=api.url)
    calls = {name: importlib.import_module(f"generated_client.api.default.{name}") for name in NAMES}
    with client:
        same = calls["call_same"].sync_detailed(client=client, body={"text": "hi"})
        listed = calls["show_catalogue"].sync_detailed(client=client)
    assert (same.status_code, json.loads(same.content)) == (200, {"text": "hi"})
    assert [model["name"] for model in json.loads(listed.content)["models"]] == ["same", "chat", "image"]


NAMES = ("call_same", "create_chat_completion", "list_models", "show_catalogue", "show_health")
