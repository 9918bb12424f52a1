"""An environment is built once, whole or not at all, by the user's own pip. Nothing here needs a network."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import filelock
import psutil
import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.python_engine import (
    UNUSED_DAYS,
    find_environment,
    prepare_environment,
    remove_unused,
)
from centralized_ml_api.local.weights import FetchCancelledError
from support.python_model import write_model
from support.waiting import wait_until
from support.wheels import build_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.python_engine import Environment

SOURCE = "def model_fn(model_dir): return 1"
HANGING_BACKEND = """
import os, pathlib, subprocess, sys
pathlib.Path({pids!r}).write_text(f"{{os.getpid()}} {{subprocess.Popen(['sleep', '600']).pid}}")
import time
time.sleep(600)
"""


class Preparing:
    """One preparation, and what it said."""

    def __init__(self, code: Path, cache: Path) -> None:
        self.code = code
        self.cache = cache
        self.words: list[str] = []
        self.lines: list[bytes] = []
        self.cancelled = threading.Event()

    def run(self) -> Environment:
        return prepare_environment(
            self.code,
            say=self.words.append,
            log=self.lines.append,
            cancelled=self.cancelled,
            cache=self.cache,
        )

    @property
    def log(self) -> str:
        return b"".join(self.lines).decode()


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A model that needs a package of this machine, `tiny`."""
    folder = write_model(tmp_path / "model", SOURCE)
    wheel = build_wheel(folder, "tiny", "1.0", {"tiny.py": b"SIZE = 'tiny'"})
    (folder / "requirements.txt").write_text(f"--no-index\n./{wheel.name}\n")
    return folder


def tiny_of(environment: Environment) -> str:
    done = subprocess.run(
        [environment.python, "-c", "import tiny; print(tiny.SIZE)"],
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.mark.slow  # pip takes its seconds
def test_requirements_are_installed_once_and_pip_is_heard(code: Path, tmp_path: Path) -> None:
    first = Preparing(code, tmp_path / "cache")
    environment = first.run()
    assert environment == find_environment(code, tmp_path / "cache")
    assert tiny_of(environment) == "tiny"
    assert "installing packages" in first.words
    assert "Successfully installed tiny-1.0" in first.log
    second = Preparing(code, tmp_path / "cache")
    assert second.run() == environment
    assert not second.words
    assert not second.lines


def test_without_requirements_there_is_nothing_in_it_and_no_pip_runs(tmp_path: Path) -> None:
    preparing = Preparing(write_model(tmp_path / "model", SOURCE), tmp_path / "cache")
    python = preparing.run().python
    assert not preparing.lines
    for module in ("pydantic", "waitress", "pip", "centralized_ml_api"):
        done = subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False, text=True)
        assert f"No module named '{module}'" in done.stderr


@pytest.mark.slow  # pip takes its seconds
def test_two_that_need_the_same_share_one_building(code: Path, tmp_path: Path) -> None:
    both = [Preparing(code, tmp_path / "cache") for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(Preparing.run, both)
    assert first == second
    assert tiny_of(first) == "tiny"
    assert sorted(bool(preparing.lines) for preparing in both) == [False, True]


@pytest.mark.parametrize("lost", [".complete", "python/bin/python"])
def test_a_broken_environment_is_built_anew(tmp_path: Path, lost: str) -> None:
    preparing = Preparing(write_model(tmp_path / "model", SOURCE), tmp_path / "cache")
    environment = preparing.run()
    (environment.folder / lost).unlink()
    assert not environment.is_complete
    assert preparing.run().is_complete
    assert preparing.words.count("building an environment") == 2


@pytest.mark.slow  # pip takes its seconds
def test_what_cannot_be_installed_says_so_in_pips_words_and_leaves_nothing(tmp_path: Path) -> None:
    code = write_model(tmp_path / "model", SOURCE, "--no-index\nno-such-package==1.0\n")
    preparing = Preparing(code, tmp_path / "cache")
    with pytest.raises(
        StartError, match=r"model/requirements.txt .*No matching distribution .*no-such-package"
    ):
        preparing.run()
    assert "no-such-package" in preparing.log
    assert not find_environment(code, tmp_path / "cache").prefix.exists()


@pytest.mark.slow  # pip takes its seconds
def test_hashes_of_the_requirements_are_checked(code: Path, tmp_path: Path) -> None:
    wheel = next(code.glob("*.whl"))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements = code / "requirements.txt"
    requirements.write_text(f"--no-index\n./{wheel.name} --hash=sha256:{'0' * 64}\n")
    with pytest.raises(StartError, match="could not be installed"):
        Preparing(code, tmp_path / "cache").run()
    requirements.write_text(f"--no-index\n./{wheel.name} --hash=sha256:{digest}\n")
    assert tiny_of(Preparing(code, tmp_path / "cache").run()) == "tiny"


@pytest.mark.slow  # pip takes its seconds
def test_a_cancelled_building_ends_with_all_that_it_started_and_leaves_nothing(tmp_path: Path) -> None:
    code = write_model(tmp_path / "model", SOURCE, "--no-index\n./hangs\n")
    pids = tmp_path / "pids"
    package = code / "hangs"
    package.mkdir()
    (package / "backend.py").write_text(HANGING_BACKEND.format(pids=str(pids)))
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    preparing = Preparing(code, tmp_path / "cache")
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(preparing.run)
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2, "the package is being built")
        building = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
        preparing.cancelled.set()
        with pytest.raises(FetchCancelledError):
            running.result()
    psutil.wait_procs(building, timeout=5)
    assert not [
        process for process in building if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]
    environment = find_environment(code, tmp_path / "cache")
    assert sorted(path.name for path in environment.folder.iterdir()) == [".lock"]


def prepare(code: Path, cache: Path) -> Environment:
    return prepare_environment(
        code, say=lambda _: None, log=lambda _: None, cancelled=threading.Event(), cache=cache
    )


def test_an_environment_is_removed_30_days_after_its_last_use_unless_it_is_held(tmp_path: Path) -> None:
    code, cache = write_model(tmp_path / "model", "def model_fn(model_dir): return 1"), tmp_path / "cache"
    environment = prepare(code, cache)
    long_ago = time.time() - (UNUSED_DAYS + 1) * 86400
    for path in (environment.folder, *environment.folder.iterdir()):
        os.utime(path, (long_ago, long_ago))
    prepare(code, cache)
    assert remove_unused(cache) == (0, 0), "it was used just now"
    later = time.time() + (UNUSED_DAYS + 1) * 86400
    with filelock.FileLock(environment.folder / ".lock"):
        assert remove_unused(cache, now=later) == (0, 0), "somebody builds it"
    number, size = remove_unused(cache, now=later)
    assert (number, size > 0) == (1, True)
    assert not find_environment(code, cache).is_complete
    assert remove_unused(cache, now=later) == (0, 0)


def test_without_a_cache_there_is_nothing_to_remove(tmp_path: Path) -> None:
    assert remove_unused(tmp_path / "none") == (0, 0)
