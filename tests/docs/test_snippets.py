"""Configs that pages show load: whole ones, entries, `local` blocks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from centralized_ml_api.config.load import load_config
from support.doc_page import Block, load_page
from support.doc_shell import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GENERATED = {"config.md", "errors.md"}
PAGES = [
    load_page(path)
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    if path.name not in GENERATED
]
SNIPPETS = [
    pytest.param(block, id=f"{page.path.relative_to(ROOT)}:{block.line}")
    for page in PAGES
    for block in page.blocks
    if block.language in {"json", "yaml"}
]
ENTRY: dict[str, Any] = {
    "name": "a-model",
    "model_id": "a-model",
    "instance": "ml.g5.2xlarge",
    "integration": {"type": "api"},
}


def complete(value: Any) -> Any:
    """A whole config around a part of one; None for what is no part of one."""
    match value:
        case {"models": _}:
            return value
        case {"engine": _}:
            return complete({"local": value})
        case {"integration": _, "name": _}:
            return {"models": [{"instance": "ml.g5.2xlarge", **value}]}
        case {"integration": _} | {"local": _}:
            return {"models": [{**ENTRY, **value}]}
    return None


@pytest.mark.parametrize("block", SNIPPETS)
def test_a_config_on_a_page_loads(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("functions/example_function", "functions/upper", "functions/shout", "functions/theirs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "index.py").write_text("def lambda_handler(event, context): ...\n")
    for folder in ("models/language", "models/ponder", "models/shout", "models/text_to_image"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "inference.py").touch()
    (tmp_path / "words.json").touch()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/model.gguf").touch()
    value = json.loads(block.text) if block.language == "json" else yaml.safe_load(block.text)
    config = complete(value)
    if config is not None:
        file = tmp_path / "models.json"
        file.write_text(json.dumps(config))
        assert load_config(file, now=datetime(2026, 1, 1, tzinfo=UTC)).config
