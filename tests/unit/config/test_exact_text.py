"""What a user reads for each problem, to the letter: every file of `broken/` against the text beside it.

After an intended change of a text, `MLAPI_REWRITE_TEXTS=1 pytest` writes the new ones; read the diff.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.checks.registry import RULES
from centralized_ml_api.config.document.rules import LARGEST_BYTES
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import render_problems
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.config.rule import Rule

BROKEN = Path(__file__).parent / "broken"
TEXTS = sorted(BROKEN.glob("*.txt"))


def lay_out(name: str, folder: Path) -> Path:
    """The broken file of that name, in the project."""
    source = next((file for file in sorted(BROKEN.glob(f"{name}.*")) if file.suffix != ".txt"), None)
    path = folder / (source.name if source else f"{name}.json")
    if source:
        shutil.copy(source, path)
    elif name == "C009":
        path.write_bytes(b" " * (LARGEST_BYTES + 1))
    return path


def text_for(path: Path, root: Path, now: datetime) -> str:
    try:
        loaded = load_config(path, now=now, region="us-east-1")
        text = render_problems(loaded.warnings, loaded.document.text)
    except ConfigError as error:
        text = render_problems(error.problems, error.source)
    return text.replace(str(root), "<root>") + "\n"


@pytest.mark.parametrize("expected", [pytest.param(text, id=text.stem) for text in TEXTS])
def test_the_text_of_a_broken_config(
    expected: Path, project: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    actual = text_for(lay_out(expected.stem, Path("config")), project, now)
    if os.environ.get("MLAPI_REWRITE_TEXTS"):
        expected.write_text(actual)
    assert actual == expected.read_text()


LOADING = [rule for rule in RULES if not rule.id.startswith(("C5", "C7"))]
"""What loading a config finds; tests/unit/plan has what a look-up finds, tests/unit/cli C7."""


@pytest.mark.parametrize("rule", LOADING, ids=lambda rule: rule.id)
def test_every_id_has_a_broken_config_that_shows_it(rule: Rule) -> None:
    identity = re.escape(f"[{rule.id}]")
    named = [text for text in TEXTS if text.stem.startswith(rule.id)]
    assert any(re.search(identity, text.read_text()) for text in named)


def test_every_broken_config_has_its_text() -> None:
    files = {file.stem for file in BROKEN.iterdir() if file.suffix != ".txt"}
    assert files <= {text.stem for text in TEXTS}
