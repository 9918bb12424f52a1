"""Writes the file that a team gets: its key, the address of the API, and calls that this API answers."""

from __future__ import annotations

import os
import shlex
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.sample import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from centralized_ml_api.cli.served import ServedModel
    from centralized_ml_api.plan.types import ApiPlan

_START = """\
# Team {team}. Whoever has this file can call as this team: do not share it, and keep it out of git.
# In a shell: set -a; . ./{quoted}; set +a
MLAPI_URL={url}
MLAPI_KEY={key}
OPENAI_BASE_URL={url}/v1
OPENAI_API_KEY={key}

# List the models:
#   curl "$MLAPI_URL/models" -H "x-api-key: $MLAPI_KEY"
"""
_TRUST = """\
# The API's certificate is of its own authority. Before the first call, in the same shell:
"""
_CALL = """\
# Call one of them:
#   curl -X POST "$MLAPI_URL{path}" -H "x-api-key: $MLAPI_KEY" -d {body}
"""
_CHAT = """\
# Python, with OpenAI's package, which reads the variables above:
#   from openai import OpenAI
#   answer = OpenAI().chat.completions.create(
#       model="{name}", messages=[{{"role": "user", "content": "What is AWS?"}}]
#   )
"""


@dataclass(frozen=True, slots=True)
class Example:
    """What a team can call: the path of a model with a body for it, and the name of a model that chats."""

    path: str = ""
    body: str = ""
    chat: str = ""


def find_examples(models: Iterable[ServedModel], plan: ApiPlan | None, team: str) -> Example:
    """Returns what a team can call. Pure.

    Args:
        models: Of the API.
        plan: Of its config, which says what the team may call; None where nobody knows.
        team: Its name.
    """
    rules = {entry.name: entry for entry in plan.event.admit([team]).teams} if plan else {}
    allowed = [model for model in models if team not in rules or rules[team].may_call(model.name)]
    written = ((model.path, model.sample) for model in allowed)
    path, body = next(
        ((path, sample.content.decode()) for path, sample in written if sample and sample.media_type == JSON),
        ("", ""),
    )
    chat = next((model.name for model in allowed if model.chats), "")
    return Example(path, body, chat)


def write_env_files(
    folder: Path, values: Mapping[str, str], url: str, examples: Mapping[str, Example], trust: str = ""
) -> list[Path]:
    """Writes a file for each team that only this user may read; replaces those that exist.

    Args:
        folder: Made where it does not exist, and then for this user alone and hidden from git.
        values: The key of each team. The names of teams are safe as names of files: the config's checks see
            to that.
        url: The address of the API, checked: the shell reads it unquoted.
        examples: What each team can call.
        trust: The lines with which a shell comes to trust the API, from `render_trust`.

    Returns:
        The paths of the files.

    Raises:
        UsageError: One cannot be written.
    """
    try:
        if not folder.is_dir():  # one that exists is its owner's business
            folder.mkdir(mode=0o700, parents=True)
            (folder / ".gitignore").write_text("*\n")
        return [
            _write(_file(folder, team), _render(team, key, url, examples[team], trust))
            for team, key in values.items()
        ]
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror or error}",
            fix="choose another folder: --dir FOLDER",
        ) from error


def write_sheet(file: Path, text: str) -> None:
    """Writes a page with keys that only this user may read; replaces one that exists.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        _write(file, text)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}") from error


def remove_env_files(folder: Path, teams: Iterable[str]) -> list[Path]:
    """Removes the files of teams whose keys no longer work; returns the paths of those that were there.

    Raises:
        UsageError: One cannot be removed.
    """
    there = [file for team in teams if (file := _file(folder, team)).exists()]
    try:
        for file in there:
            file.unlink()
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be removed: {error.strerror}",
            fix="remove it by hand: its key is revoked",
        ) from error
    return there


def _file(folder: Path, team: str) -> Path:
    return folder / f"{team}.env"


def _render(team: str, key: str, url: str, example: Example, trust: str) -> str:
    text = _START.format(team=team, quoted=shlex.quote(f"{team}.env"), key=key, url=url)
    if trust:
        text += _TRUST + textwrap.indent(trust, "#   ") + "\n"
    if example.path:
        text += _CALL.format(path=example.path, body=shlex.quote(example.body))
    if example.chat:
        text += _CHAT.format(name=example.chat)
    return text


def _write(path: Path, text: str) -> Path:
    """Writes a new file in place of an old one, whose mode may let others read it."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return path
