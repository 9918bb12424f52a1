"""What holds for every test: nothing but loopback is asked for anything, and Ctrl-C is Ctrl-C."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.order import order
from support.slow_files import has_only_slow_tests

if TYPE_CHECKING:
    from collections.abc import Iterator

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
"""As in a shell where the environment is activated: `mlapi` is this one, and messages call it by its name."""

os.environ.setdefault("MLAPI_JUMPSTART_MIRROR", "http://127.0.0.1:9")
"""JumpStart's bucket is elsewhere; at this address nothing answers. Tests that need one make their own."""

os.environ.setdefault("HF_ENDPOINT", "http://127.0.0.1:9")
"""The Hugging Face hub, likewise: the default config names weights there."""

# A run in the background of a shell ignores SIGINT, and so would every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def temporary_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Makes all temporary files in a folder of this run, which pytest removes three runs later.

    A program that is killed leaves its own behind: Node those of the CDK, a worker those of this process.
    """
    folder = tmp_path_factory.getbasetemp() / "t"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None  # it is found anew


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collects the tests without looking for garbage, and later looks for none among them.

    A thousand modules and ten thousand tests stay to the end: to look through them takes seconds.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out the files that `-m "not slow"` would import, only to deselect all of their tests."""
    return (config.option.markexpr == "not slow" and has_only_slow_tests(collection_path)) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With several workers, begins with what takes long."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = order(items, workers)
