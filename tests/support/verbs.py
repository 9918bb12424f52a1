"""Verbs of the command line, run in this process: the same code as in one of its own, in milliseconds."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import IO, TYPE_CHECKING, Any

import pytest

from centralized_ml_api.cli import run
from support.local_api import Ran

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
TINY = "acme-textgeneration-tiny"
SHIPPED = "huggingface-textgeneration-open-llama"


def mlapi(
    *arguments: str, cwd: Path, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> Ran:
    """Runs one verb to its end in the folder `cwd`, without colour and without a terminal."""
    out, talk = io.BytesIO(), io.BytesIO()
    with _open_text(out) as stdout, _open_text(talk) as stderr, pytest.MonkeyPatch.context() as process:
        _set(process, environment or {})
        status = _run(arguments, cwd, stdin, stdout, stderr)
        return Ran(status, out.getvalue().decode(), talk.getvalue().decode())


def mlapi_on_screen(*arguments: str, cwd: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Runs one verb likewise, in this environment alone: its status, and all that it prints, in order."""
    screen = io.BytesIO()
    with _open_text(screen) as shown, pytest.MonkeyPatch.context() as process:
        for name in os.environ.keys() - environment.keys():
            process.delenv(name)
        _set(process, environment)
        status = _run(arguments, cwd, b"", shown, shown)
        return status, screen.getvalue().decode()


def _open_text(printed: io.BytesIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(printed, "utf-8", write_through=True)


def _set(process: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in {"NO_COLOR": "1", **environment}.items():
        process.setenv(name, value)


def _run(arguments: tuple[str, ...], cwd: Path, stdin: bytes, stdout: IO[str], stderr: IO[str]) -> int:
    with (
        pytest.MonkeyPatch.context() as process,
        io.TextIOWrapper(io.BytesIO(stdin), "utf-8") as taken,
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        process.chdir(cwd)
        process.setattr(sys, "argv", ["mlapi", *arguments])
        process.setattr(sys, "stdin", taken)
        return run()


def write_jumpstart_config(folder: Path, **changes: Any) -> None:
    """Writes `tiny.json`, a config with one JumpStart model; `changes` replace keys of its entry."""
    entry = {"name": "tiny", "model_id": TINY, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
    (folder / "tiny.json").write_text(json.dumps({"models": [{**entry, **changes}]}, indent=1))
