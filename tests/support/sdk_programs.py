"""Runs programs that call an API by the clients that its users have, each in the clients' own environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.stream_host.host import node

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parents[1] / "clients"
ENVIRONMENTS = FOLDER.parents[1] / ".venv"
PYTHONS = {
    "programs": ENVIRONMENTS / "clients/bin/python",
    "openai2": ENVIRONMENTS / "clients-openai2/bin/python",
}
"""The interpreter of each folder of programs."""

DEADLINE_SECONDS = 300

# None of them may ask anyone but the API.
OFFLINE = {
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def are_installed() -> bool:
    """Returns whether `make clients` has installed them."""
    return all(python.exists() for python in PYTHONS.values()) and (FOLDER / "node_modules/ai").is_dir()


def list_programs() -> list[str]:
    """Returns the programs, each as folder and name."""
    found = (path for folder in PYTHONS for path in (FOLDER / folder).iterdir())
    return sorted(str(path.relative_to(FOLDER)) for path in found if path.suffix in {".py", ".mjs"})


def run_program(name: str, *arguments: str) -> dict[str, Any]:
    """Returns what a program prints, which is JSON."""
    program = FOLDER / name
    interpreter = node() if program.suffix == ".mjs" else str(PYTHONS[Path(name).parts[0]])
    return dict(json.loads(run_client([interpreter, str(program), *arguments]).splitlines()[-1]))


def run_client(command: Sequence[str], **variables: str) -> str:
    """Returns what a client prints; `variables` are added to its environment."""
    done = subprocess.run(
        command,
        env={**os.environ, **OFFLINE, **variables},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
