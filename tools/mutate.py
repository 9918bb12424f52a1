# ruff: noqa: INP001  # a script, not a package
"""Measures how many small faults in a room the fast tests notice.

    python tools/mutate.py local/run plan aws/document config/checks
    python tools/mutate.py local/run --sample 0        every mutant instead of a random sample

First the fast tests run once, and `coverage` records which test sees which line. Then each mutant (one
changed operator, condition, number, keyword, return or call) is imported in place of its module, in a
process of its own, and only the tests that see its line run. A mutant that passes them all has survived:
either it does the same as the original, or no test sees that decision.

Not mutated: texts, annotations, decorators, and imports for the type checker.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
import coverage
import psutil
import pytest
from mutants import SOURCE, Mutant, Mutator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

ROOT = Path(__file__).parent.parent
DATA = ROOT / ".cache" / "mutate"
SHARED_IMPORTS = ("aiohttp", "botocore.session", "jsonschema", "pydantic", "rich.console", "urllib3", "yaml")
"""Imported once, before the processes of the mutants begin: half of their time would be such imports."""

QUIET = ("-o", f"cache_dir={DATA / 'pytest'}")
"""Keeps the cache of the last ordinary run as it is."""

MOST_TESTS = 60
"""Tests per mutant at most, besides those of its own file. The first that fails ends the run, so this bounds
only the survivors.
"""


class Seen:
    """Which tests see which line: as a plugin of pytest it records them, afterwards it tells."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._coverage = coverage.Coverage(
            data_file=str(DATA / "coverage"),
            include=[str(file) for file in files],
            data_suffix=True,
            config_file=False,
        )

    def record(self, tests: Sequence[str]) -> None:
        """Runs the fast tests once.

        Raises:
            ClickException: they fail without any mutant.
        """
        self._coverage.start()
        status = pytest.main([*tests, "-q", "-m", "not slow", *QUIET], plugins=[self])
        self._coverage.stop()
        self._coverage.save()
        if status != pytest.ExitCode.OK:
            raise click.ClickException("the fast tests fail without any mutant")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Notes whose turn it is."""
        self._coverage.switch_context(item.nodeid)
        result = yield
        self._coverage.switch_context("")
        return result  # how a hook wrapper hands on what it wraps


def load_contexts() -> dict[Path, dict[int, list[str]]]:
    """Returns the tests that see each line of each file; the empty name stands for imports."""
    data = coverage.CoverageData(basename=str(DATA / "coverage"))
    for part in DATA.glob("coverage.*"):
        more = coverage.CoverageData(basename=str(part))
        more.read()
        data.update(more)
    return {Path(file): data.contexts_by_lineno(file) for file in data.measured_files()}


def choose_tests(mutant: Mutant, contexts: dict[Path, dict[int, list[str]]]) -> list[str]:
    """Returns the tests that see the mutant's line; if only an import runs it, all that see its file.

    Those in the file's own file of tests come first, all of them; also those that see only what an import
    has computed, such as a constant of that file. Of too many others, half are those that
    see most of the file, half those that see least: the latter are about little else than this line.
    """
    lines = contexts.get(mutant.file, {})
    tests = [test for test in lines.get(mutant.span[0], ()) if test]
    if not tests:
        tests = sorted({test for names in lines.values() for test in names if test})
        if "" not in lines.get(mutant.span[0], ()):
            return []
        if not tests:  # a file of data alone: its folder's tests look at that
            near = f"tests/unit/{mutant.file.relative_to(SOURCE).parent.as_posix()}/"
            seen = (test for others in contexts.values() for names in others.values() for test in names)
            return sorted({test for test in seen if test.startswith(near)})
    breadth: dict[str, int] = defaultdict(int)
    for names in lines.values():
        for test in names:
            breadth[test] += 1
    beside = mutant.file.relative_to(SOURCE).with_name(f"test_{mutant.file.name}")
    own_file = f"tests/unit/{beside.as_posix()}::"
    if "" in lines.get(mutant.span[0], ()):  # maybe for a constant of that file
        tests = list({*tests, *(test for test in breadth if test.startswith(own_file))})
    widest = sorted(tests, key=lambda test: (-breadth[test], test))
    own = [test for test in widest if test.startswith(own_file)]
    others = [test for test in widest if test not in own]
    if len(others) > MOST_TESTS:
        others = [*others[: MOST_TESTS // 2], *others[-MOST_TESTS // 2 :]]
    return own + others


class MutantFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports a mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        name = ".".join(mutant.file.relative_to(SOURCE.parent).with_suffix("").parts)
        self._name = name.removesuffix(".__init__")
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Finds the one module."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._mutant.file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the changed text."""
        exec(compile(self._mutant.source(), self._mutant.file, "exec"), module.__dict__)  # noqa: S102


def spare_other_processes() -> None:
    """Keeps a mutant from ending processes that ran before it; to `os.kill`, 0 and -1 mean many."""
    others = {*psutil.pids(), -1, 0} - {os.getpid()}

    def guard(send: Callable[[int, int], None]) -> Callable[[int, int], None]:
        def send_to_own(pid: int, number: int) -> None:
            if pid in others:
                raise ProcessLookupError
            send(pid, number)

        return send_to_own

    os.kill, os.killpg = guard(os.kill), guard(os.killpg)


def start_mutant(mutant: Mutant, tests: Sequence[str]) -> int:
    """Runs the tests with the mutant in a process of its own, and returns its pid; status 0 is a survivor."""
    pid = os.fork()
    if pid:
        return pid
    with contextlib.suppress(BaseException):
        os.setsid()
        sink = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(sink, descriptor)
        sys.meta_path.insert(0, MutantFinder(mutant))
        spare_other_processes()
        os._exit(int(pytest.main([*tests, "-x", "-q", *QUIET, "-p", "no:xdist"])))
    os._exit(1)


def run_mutants(chosen: Sequence[tuple[Mutant, list[str]]], jobs: int, seconds: float) -> list[Mutant]:
    """Runs the mutants, `jobs` at once, each for `seconds` at most; returns the survivors."""
    waiting, running, survivors = list(chosen), dict[int, tuple[Mutant, float]](), []
    done = 0
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, tests = waiting.pop(0)
            if not tests:
                survivors.append(mutant)
                done += 1
                continue
            running[start_mutant(mutant, tests)] = (mutant, time.monotonic() + seconds)
        if not running:
            continue
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            mutant, _ = running.pop(pid)
            done += 1
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # what its tests started
            if os.waitstatus_to_exitcode(status) == 0:
                survivors.append(mutant)
            if sys.stderr.isatty():
                click.echo(f"\r{done}/{len(chosen)} mutants, {len(survivors)} survived ", nl=False, err=True)
            continue
        for late, (_, deadline) in running.items():
            if time.monotonic() > deadline:
                os.killpg(late, signal.SIGKILL)  # endless: noticed
        time.sleep(0.02)
    return survivors


def find_files(room: str) -> list[Path]:
    """Returns the modules of a room such as `local/run`, or of one file such as `plan/cost.py`."""
    place = SOURCE / room
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


@click.command()
@click.argument("rooms", nargs=-1, required=True)
@click.option("--tests", multiple=True, help="Where the fast tests are.  [default: tests/unit]")
@click.option("--sample", default=150, show_default=True, help="Mutants per room; 0 for all.")
@click.option("--seed", default=1, show_default=True, help="Chooses the sample.")
@click.option("--jobs", default=2, show_default=True, help="Mutants at once.")
@click.option("--seconds", default=60.0, show_default=True, help="For one mutant, at most.")
def mutate(  # noqa: PLR0917  # click passes them by name
    rooms: tuple[str, ...], tests: tuple[str, ...], sample: int, seed: int, jobs: int, seconds: float
) -> None:
    """Measure how many small faults in ROOMS (such as local/run) the fast tests notice."""
    os.chdir(ROOT)
    DATA.mkdir(parents=True, exist_ok=True)
    for old in DATA.glob("coverage*"):
        old.unlink()
    arguments = [*rooms, *(f"--tests={folder}" for folder in tests)]
    # In a process of its own, because this one must not have imported what mutants replace.
    subprocess.run([sys.executable, __file__, "--record", *arguments], check=True)  # noqa: S603
    contexts = load_contexts()
    for name in SHARED_IMPORTS:
        importlib.import_module(name)
    for room in rooms:
        mutants = [mutant for file in find_files(room) for mutant in Mutator(file).mutants]
        if sample and len(mutants) > sample:
            mutants = random.Random(seed).sample(mutants, sample)  # noqa: S311  # a choice, not a secret
            mutants.sort(key=lambda mutant: (mutant.file, mutant.span))
        chosen = [(mutant, choose_tests(mutant, contexts)) for mutant in mutants]
        survivors = run_mutants(chosen, jobs, seconds)
        for mutant in survivors:
            click.echo(f"survived: {mutant.describe()}")
        caught = len(mutants) - len(survivors)
        percent = 100 * caught // max(len(mutants), 1)  # rounded down: 89.5 % is not nine of ten
        click.echo(f"{room}: {caught} of {len(mutants)} mutants caught ({percent}%)")


def record(arguments: Sequence[str]) -> None:
    """Records which test sees which line of the rooms; `arguments` are rooms and `--tests=FOLDER`."""
    tests = [argument.removeprefix("--tests=") for argument in arguments if argument.startswith("--tests=")]
    rooms = [argument for argument in arguments if not argument.startswith("--tests=")]
    Seen([file for room in rooms for file in find_files(room)]).record(tests or ["tests/unit"])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        record(sys.argv[2:])
    else:
        mutate()
