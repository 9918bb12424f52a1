"""What `mlapi pull` fetches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.local_api import models, write_config
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path


def llama(weights: str, **more: Any) -> dict[str, Any]:
    return {"engine": "llama.cpp", "weights": weights, **more}


def test_what_is_fetched_by_hand_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    for name in ("small.gguf", "large.gguf"):
        (tmp_path / name).touch()
    config = write_config(
        tmp_path, models(small=llama("small.gguf"), large=llama("large.gguf", fetch="manual"))
    )
    everything = mlapi("pull", "--config", str(config), cwd=tmp_path)
    assert (everything.status, everything.out) == (0, f"small: {tmp_path}/small.gguf\n")
    assert "large is fetched only by name: mlapi pull large" in everything.talk
    named = mlapi("pull", "large", "--config", str(config), cwd=tmp_path)
    assert (named.status, named.out) == (0, f"large: {tmp_path}/large.gguf\n")


def test_a_name_that_is_none_is_told_from_one_without_anything_to_fetch(tmp_path: Path) -> None:
    (tmp_path / "small.gguf").touch()
    elsewhere = {"engine": "url", "url": "http://127.0.0.1:9/x"}
    config = write_config(tmp_path, models(small=llama("small.gguf"), far=elsewhere))
    refused = mlapi("pull", "far", "--config", str(config), cwd=tmp_path)
    assert refused.status == 2
    assert "far has nothing to fetch\n  fix: models with something to fetch: small\n" in refused.talk
    for name, fix in {
        "smal": "did you mean small?",
        "nope": "choose one of: small, far",
        "models.json": "a config is named with --config: mlapi pull --config models.json",
    }.items():
        refused = mlapi("pull", name, "--config", str(config), cwd=tmp_path)
        assert refused.status == 2
        assert refused.talk == f"error: models.json has no model {name!r}\n  fix: {fix}\n"
