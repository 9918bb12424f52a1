"""Runs a script among modules of JavaScript, for what needs no server."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from support.stream_host.host import function_folder, node

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE_SECONDS = 60


def run_script(script: str, given: object = None, folder: Path | None = None) -> Any:
    """Returns the JSON that the script prints; it has `given` as `input`, and modules as `./name.mjs`.

    They are those of `folder`, by default of the function; what they log stands before it.
    """
    imports = "".join(line for line in script.splitlines(keepends=True) if line.startswith("import "))
    rest = "".join(line for line in script.splitlines(keepends=True) if not line.startswith("import "))
    imports = imports.replace('"./', f'"{(folder or function_folder()).as_uri()}/')
    run = subprocess.run(
        [node(), "--input-type=module", "-"],
        input=f"{imports}const input = {json.dumps(given)};\n{rest}",
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
    assert run.returncode == 0, run.stderr
    assert not run.stderr, "the modules print no warnings"
    return json.loads(run.stdout.splitlines()[-1])
