"""Runs programs that call an API by the clients that its users have, each in the clients' own environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from support.stream_host.host import node

FOLDER = Path(__file__).parents[1] / "clients"
PYTHON = FOLDER.parents[1] / ".venv/clients/bin/python"
DEADLINE_SECONDS = 120

# None of them may ask anyone but the API.
OFFLINE = {
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def are_installed() -> bool:
    """Returns whether `make clients` has installed them."""
    return PYTHON.exists() and (FOLDER / "node_modules/ai").is_dir()


def run_program(name: str, *arguments: str) -> dict[str, Any]:
    """Returns what a program of `tests/clients/programs` prints, which is JSON."""
    program = FOLDER / "programs" / name
    interpreter = node() if program.suffix == ".mjs" else str(PYTHON)
    done = subprocess.run(
        [interpreter, str(program), *arguments],
        env={**os.environ, **OFFLINE},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))
