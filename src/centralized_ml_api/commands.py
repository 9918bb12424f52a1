"""Words the commands that this program prints: each works as printed, in the shell that it is for."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "mlapi"
DEFAULT_CONFIG = Path("config/models.json")
DEFAULT_STATE = Path(".mlapi")


def command(*words: object) -> str:
    """Returns a command line of this program, quoted for a shell; paths are relative to the current folder.

    Every command that is printed is made here, so that it names the program as the user can start it, and so
    that a test can find and try each of them.
    """
    written = (shown_path(word) if isinstance(word, Path) else str(word) for word in words)
    return shlex.join([*program(), *written])


def program() -> tuple[str, ...]:
    """Returns how this program is started from here: by its name where the shell finds it under that name."""
    script = Path(sys.executable).with_name(NAME)
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    theirs = folders[1:] if is_run_by_uv() else folders
    found = shutil.which(NAME, path=os.pathsep.join(theirs))
    if not script.is_file():
        return (NAME,) if found else (sys.executable, "-m", __package__)
    if found and Path(found).resolve() == script.resolve():
        return (NAME,)
    return (shown_path(script),)


def is_run_by_uv() -> bool:
    """Returns whether `uvx` or `uv run` started this program.

    Then its folder is the first of PATH, for this program alone.

    Source: https://docs.astral.sh/uv/reference/environment/#uv
    """
    first = os.environ.get("PATH", "").partition(os.pathsep)[0]
    return "UV" in os.environ and Path(first) == Path(sys.executable).parent


def state_flags(folder: Path) -> tuple[str, ...]:
    """Returns the words that name the same state folder in a command; none for the default."""
    is_default = folder.absolute() == DEFAULT_STATE.absolute()
    return () if is_default else ("--state", shown_path(folder))


def shown_path(path: Path) -> str:
    """Returns the path relative to the current folder where it is inside, otherwise as it is."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
