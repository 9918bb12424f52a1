"""What `mlapi pull` fetches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.local_api import models, write_config
from support.verbs import mlapi

if TYPE_CHECKING:
    from pathlib import Path

ELSEWHERE = {"engine": "url", "url": "http://127.0.0.1:9/x"}


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
    config = write_config(tmp_path, models(small=llama("small.gguf"), far=ELSEWHERE))
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


def test_where_no_config_is_a_file_among_the_names_is_taken_for_one_and_no_other_is_asked_for(
    tmp_path: Path,
) -> None:
    write_config(tmp_path, models(far=ELSEWHERE), "event.json")
    refused = mlapi("pull", "event.json", cwd=tmp_path)
    assert (refused.status, refused.talk) == (
        2,
        (
            "error: event.json is a file, not the name of a model\n"
            "  fix: a config is named with --config: mlapi pull --config event.json\n"
        ),
    )


def test_where_no_model_has_anything_to_fetch_the_config_can_be_served_at_once(tmp_path: Path) -> None:
    write_config(tmp_path, models(far=ELSEWHERE), "event.json")
    refused = mlapi("pull", "far", "--config", "event.json", cwd=tmp_path)
    assert (refused.status, refused.talk) == (
        2,
        "error: far has nothing to fetch\n  fix: no model of this config needs it: mlapi up event.json\n",
    )


def test_environments_are_removed_only_where_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "small.gguf").touch()
    config = write_config(tmp_path, models(small=llama("small.gguf")))
    cache = {"MLAPI_CACHE": str(tmp_path / "cache")}
    removed = "Environments that were not used for 30 days: none"
    plain = mlapi("pull", "--config", str(config), cwd=tmp_path, environment=cache)
    assert removed not in plain.talk
    asked = mlapi("pull", "--remove-unused", "--config", str(config), cwd=tmp_path, environment=cache)
    assert removed in asked.talk
