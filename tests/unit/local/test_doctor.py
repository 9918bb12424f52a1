"""What `mlapi doctor --target local` finds about this machine."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.config.schema import LlamaCpp, PythonFolder, Url
from centralized_ml_api.local.doctor import disk, keys, memory, packages, platform, port
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.keys.record import TeamRecord

if TYPE_CHECKING:
    from pathlib import Path

SERVER = LlamaCpp(engine="llama.cpp", weights="model.gguf", replicas=2)
ELSEWHERE = Url(engine="url", url="http://gpu-box:8000/")


def test_a_port_that_is_held_is_found_with_a_fix() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken: int = holder.getsockname()[1]
        (found,) = port.check(taken)
    assert found.severity == "error"
    assert f"port {taken} is held by" in found.title
    assert found.fix
    (free,) = port.check(0)
    assert free.severity == "ok"


@pytest.mark.parametrize(
    ("available_gigabytes", "severity"), [(8, "ok"), (1.7, "ok"), (1.5, "warning"), (0.1, "warning")]
)
def test_memory_is_compared_with_what_the_models_roughly_take(
    available_gigabytes: float, severity: str
) -> None:
    found = memory.compare(int(available_gigabytes * 1e9), [SERVER, ELSEWHERE])
    assert found.severity == severity
    assert "the API and 2 of models" in found.detail


def test_little_room_for_weights_is_a_warning_only(tmp_path: Path) -> None:
    (found,) = disk.check(tmp_path / "not" / "there")
    assert found.check == "disk"
    assert str(tmp_path / "not" / "there") in found.detail


def test_a_file_of_keys_that_cannot_be_read_is_found_before_the_start(tmp_path: Path) -> None:
    assert not list(keys.check(tmp_path))
    KeyStore(tmp_path).change(lambda _: (TeamRecord("red", new_key()),))
    assert [one.severity for one in keys.check(tmp_path)] == ["ok"]
    (tmp_path / "keys.json").write_text("{")
    (found,) = keys.check(tmp_path)
    assert (found.severity, str(tmp_path / "keys.json") in found.title) == ("error", True)
    assert found.fix


def test_envoy_runs_on_this_platform() -> None:
    (found,) = platform.check()
    assert (found.severity, found.title.startswith("Envoy runs here")) == ("ok", True)


def test_what_installs_packages_is_looked_for_where_a_python_model_needs_it() -> None:
    (found,) = packages.check([PythonFolder(engine="python", code="models/ocr")])
    assert (found.severity, found.title) == ("ok", "venv and pip are here, for the packages of python models")
    assert not list(packages.check([SERVER, ELSEWHERE]))
