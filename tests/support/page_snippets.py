"""Runs what the page copies, as its reader would: in the reader's own folder, nothing added."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.browser import Visit

PROGRAMS = {
    "curl": ("bash", "-c"),
    "Python": (sys.executable, "-c"),
    "OpenAI": (sys.executable, "-c"),
    "JavaScript": (str(Path(sys.executable).with_name("node")), "--input-type=module", "-e"),
}


def run_snippet(
    language: str, code: str, folder: Path, environment: Mapping[str, str] | None = None
) -> bytes:
    """What it prints, or the file that it writes; it must end well."""
    done = subprocess.run(
        [*PROGRAMS[language], code],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stderr.decode()}"
    written = [file.read_bytes() for file in folder.glob("answer.*")]
    return written[0] if written else done.stdout


def run_all_snippets(
    visit: Visit, folder: Path, environment: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """Runs each in a folder of its own, with the file in it that the page offers beside the code."""
    printed = {}
    for language in visit.languages:
        place = folder / language
        place.mkdir()
        visit.save_files(place)
        printed[language] = run_snippet(language, visit.snippet(language), place, environment)
    return printed
