"""Which processes count as left behind by a supervisor: those with its mark, whoever started them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from centralized_ml_api.local.supervision.child_setup import MARK, inherited_mark, set_mark
from centralized_ml_api.local.supervision.orphans import end_orphans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


@contextlib.contextmanager
def sleeping(mark: str | None) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own that says when it runs, and carries a mark or none."""
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    if mark is not None:
        environment[MARK] = mark
    process = subprocess.Popen(
        ["sh", "-c", "echo; exec sleep 600"],
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_processes_with_the_folders_mark_are_killed_and_no_others(tmp_path: Path) -> None:
    with (
        sleeping(str(tmp_path)) as ours,
        sleeping(str(tmp_path)) as ours_too,
        sleeping(f"{tmp_path}/other") as of_another_folder,
        sleeping(None) as unmarked,
    ):
        assert end_orphans(tmp_path) == 2
        assert None not in (ours.poll(), ours_too.poll())
        assert (of_another_folder.poll(), unmarked.poll()) == (None, None)
        assert end_orphans(tmp_path) == 0


def test_who_looks_spares_itself_and_those_above_it(tmp_path: Path) -> None:
    look = (
        "import pathlib, sys; from centralized_ml_api.local.supervision.orphans import end_orphans;"
        "print(end_orphans(pathlib.Path(sys.argv[1])))"
    )
    parent = 'import subprocess, sys; print(subprocess.run(sys.argv[1:], check=True) and "alive")'
    done = subprocess.run(
        [sys.executable, "-c", parent, sys.executable, "-c", look, str(tmp_path)],
        env={**os.environ, MARK: str(tmp_path)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert sorted(done.stdout.split()) == ["0", "alive"]


def test_what_starts_below_inherits_the_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARK, "to be undone")
    monkeypatch.delenv(MARK)
    assert inherited_mark() == {}
    set_mark(tmp_path)
    assert inherited_mark() == {MARK: str(tmp_path)}
