"""What the process of a Python model sees of this machine."""

from __future__ import annotations

from centralized_ml_api.local.servers.python import build_python_environment

SHELL = {"PATH": "/bin", "PYTHONPATH": "/mine", "MLAPI_KEYS": "secret"}


def test_it_gets_the_users_variables_but_no_other_python_and_no_keys() -> None:
    seen = build_python_environment(SHELL, {})
    assert seen["PATH"] == "/bin"
    assert not {"PYTHONPATH", "MLAPI_KEYS"} & set(seen)
    assert (seen["PYTHONUNBUFFERED"], seen["PYTHONDONTWRITEBYTECODE"]) == ("1", "1")


def test_it_gives_large_pieces_of_memory_back_unless_the_config_says_otherwise() -> None:
    assert build_python_environment(SHELL, {})["MALLOC_MMAP_THRESHOLD_"] == "4194304"
    own = {"MALLOC_MMAP_THRESHOLD_": "65536"}
    assert build_python_environment(SHELL, own)["MALLOC_MMAP_THRESHOLD_"] == "65536"
