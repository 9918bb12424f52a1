"""How much memory requests may take, beyond what a loaded model has."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from centralized_ml_api.local.python_engine.mlapi_model_server import memory
from centralized_ml_api.local.python_engine.mlapi_model_server.memory import (
    MIB,
    find_spare_bytes,
    limit_memory,
)

TRY = """
import sys
sys.path.insert(0, sys.argv[1])
from memory import MIB, limit_memory

before = bytearray(30 * MIB)
limit_memory(20 * MIB)
try:
    bytearray(40 * MIB)
except MemoryError:
    print("refused", end=" ")
print(len(bytearray(10 * MIB)) // MIB, len(before) // MIB)
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:        2048 kB\nMemFree:          100 kB\n", encoding="ascii")
    return file


@pytest.mark.parametrize(
    ("container", "spare_bytes"), [("max\n", 2 * MIB), ("1048576\n", MIB), ("9223372036854771712\n", 2 * MIB)]
)
def test_it_is_what_the_machine_or_its_container_has(
    tmp_path: Path, machine: Path, container: str, spare_bytes: int
) -> None:
    file = tmp_path / "memory.max"
    file.write_text(container, encoding="ascii")
    assert find_spare_bytes({}, machine, file) == spare_bytes


def test_the_config_has_the_last_word(tmp_path: Path, machine: Path) -> None:
    assert find_spare_bytes({"MODEL_SERVER_MEMORY_MIB": "512"}, machine, tmp_path / "no") == 512 * MIB


@pytest.mark.parametrize("written", ["", "0", "-1", "1.5", "2 GB"])
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="MODEL_SERVER_MEMORY_MIB must be a whole number above 0"):
        find_spare_bytes({"MODEL_SERVER_MEMORY_MIB": written})


def test_where_nothing_says_how_much_there_is_nothing_is_limited(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert find_spare_bytes({}, tmp_path / "no", tmp_path / "no") is None
    limit_memory(None)
    limit_memory(MIB, tmp_path / "no")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is mapped")
def test_a_request_for_more_fails_alone_and_what_the_model_has_does_not_count() -> None:
    program = [sys.executable, "-I", "-S", "-c", TRY, str(Path(memory.__file__).parent)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "refused 10 30\n"
