"""The files that an organizer hands out: one `.env` a team, with the key and how to call."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TEXT = """\
# Team {team}. Whoever has this file can call as this team: keep it to yourselves, and out of git.
# In a shell: set -a; . ./{quoted}; set +a
MLAPI_URL={url}
MLAPI_KEY={key}
OPENAI_BASE_URL={url}/v1
OPENAI_API_KEY={key}

# What there is:
#   curl "$MLAPI_URL/models" -H "x-api-key: $MLAPI_KEY"
# A call (NAME is one of them):
#   curl -X POST "$MLAPI_URL/NAME" -H "x-api-key: $MLAPI_KEY" -d '{{"text_inputs": "What is AWS?"}}'
# Python, with OpenAI's package, which reads the variables above:
#   from openai import OpenAI
#   answer = OpenAI().chat.completions.create(
#       model="NAME", messages=[{{"role": "user", "content": "What is AWS?"}}]
#   )
"""


def write_key_files(folder: Path, keys: Mapping[str, str], url: str) -> list[Path]:
    """One file for each team, which only this user may read; those of before are replaced.

    Args:
        folder: made if it is not there, and then for this user alone and hidden from git.
        keys: the value of each team's key. The names of teams are safe as names of files: the config's
            checks see to that.
        url: the address of the API, checked: the shell reads it unquoted.

    Raises:
        UsageError: one cannot be written.
    """
    try:
        _make(folder)
        return [_write(folder / f"{team}.env", team, key, url) for team, key in keys.items()]
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror or error}", fix="name another one: --dir FOLDER"
        ) from error


def _make(folder: Path) -> None:
    """One that is there already is its owner's business."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True)
        (folder / ".gitignore").write_text("*\n")


def _write(path: Path, team: str, key: str, url: str) -> Path:
    """A new file in the place of an old one, whose mode nobody knows."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(_TEXT.format(team=team, quoted=shlex.quote(path.name), key=key, url=url))
    return path
