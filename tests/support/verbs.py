"""Verbs of the command line, run in this process: the same code as in one of its own, in milliseconds."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import TYPE_CHECKING, Any

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
    with (
        pytest.MonkeyPatch.context() as process,
        io.TextIOWrapper(out, "utf-8") as stdout,
        io.TextIOWrapper(talk, "utf-8") as stderr,
        io.TextIOWrapper(io.BytesIO(stdin), "utf-8") as taken,
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        process.chdir(cwd)
        process.setattr(sys, "argv", ["mlapi", *arguments])
        process.setattr(sys, "stdin", taken)
        for name, value in {"NO_COLOR": "1", **(environment or {})}.items():
            process.setenv(name, value)
        status = run()
        stdout.flush()
        stderr.flush()
        return Ran(status, out.getvalue().decode(), talk.getvalue().decode())


def write_jumpstart_config(folder: Path, **changes: Any) -> None:
    """Writes `tiny.json`, a config with one JumpStart model; `changes` replace keys of its entry."""
    entry = {"name": "tiny", "model_id": TINY, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
    (folder / "tiny.json").write_text(json.dumps({"models": [{**entry, **changes}]}, indent=1))
