"""The catalogue of one machine tells of JumpStart's models what AWS tells, and asks nobody for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.entry_details import load_known
from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.sources.lock import LOCK_NAME
from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.aws.build import build_aws_plan
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.jumpstart_lookup import resolve_facts
from support.jumpstart import make_spec, write_mirror

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.config.load import LoadedConfig

GATED, SHIPPED = "acme-vlm-gated", "huggingface-asr-whisper-tiny"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLAPI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AWS_REGION", "cn-north-1")


def load(folder: Path, *models: str, **more: Any) -> LoadedConfig:
    entries = [
        {
            "name": f"m{number}",
            "model_id": model,
            "instance": "ml.g5.2xlarge",
            "integration": {"type": "api"},
            **more,
        }
        for number, model in enumerate(models)
    ]
    (folder / "models.json").write_text(json.dumps({"models": entries}))
    return load_config(folder / "models.json", now=datetime.now(UTC))


@pytest.mark.usefixtures("cache")
def test_it_is_what_aws_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mirror(tmp_path / "mirror", make_spec(model_id=GATED, hosting_eula_key="eula.txt"))
    monkeypatch.setenv("MLAPI_JUMPSTART_MIRROR", str(tmp_path / "mirror"))
    loaded = load(tmp_path, GATED, SHIPPED, accept_eula=True)
    facts, _ = resolve_facts(loaded, open_catalog(loaded.path, offline=True), region="cn-north-1")
    deployed = build_aws_plan(build_plan(loaded), facts, region="cn-north-1")
    known = load_known(build_plan(loaded))
    assert known.tasks == deployed.tasks == {"m0": "vlm", "m1": "asr"}
    assert known.licences == deployed.licences
    assert known.licences["m0"].endswith("cn-north-1.amazonaws.com.cn/eula.txt")


@pytest.mark.usefixtures("cache")
def test_of_a_model_that_is_not_at_hand_nothing_is_known(tmp_path: Path) -> None:
    known = load_known(build_plan(load(tmp_path, "acme-llm-unheard-of", SHIPPED)))
    assert (known.tasks, known.licences) == ({"m1": "asr"}, {})


@pytest.mark.usefixtures("cache")
def test_a_damaged_lock_is_no_reason_not_to_serve(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text("{")
    assert not load_known(build_plan(load(tmp_path, SHIPPED))).tasks
