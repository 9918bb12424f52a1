"""The lock file: what it pins, and how its drift and damage are told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.failures import LockError
from centralized_ml_api.catalog.sources.lock import LOCK_NAME, Locked, load_lock, render_lock
from centralized_ml_api.catalog.sources.source import Found
from support.jumpstart import DRAFT, REGION, component, make_configured, make_spec, write_mirror

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "acme-textgeneration-tiny"


def write_lock(folder: Path, *versions: str, requested: str = "*") -> Path:
    path = folder / LOCK_NAME
    locked = [Locked.of(Found(make_spec(version=version), "live"), requested) for version in versions]
    path.write_text(render_lock(locked))
    return path


def test_a_lock_is_written_so_that_its_changes_can_be_read() -> None:
    locked = Locked(MODEL, "*", "1.2.0", "live", "full", "f" * 64, {"name": "Modèle"})
    lines = render_lock([locked]).splitlines()
    assert lines[:4] == ["{", ' "format": 1,', ' "models": [', "  {"]
    assert any(line.strip() == '"name": "Modèle"' for line in lines)


def test_a_locked_model_stays_when_a_newer_one_comes(tmp_path: Path) -> None:
    write_lock(tmp_path, "1.2.0")
    mirror = write_mirror(tmp_path / "mirror", make_spec(version="2.0.0"))
    environment = {"MLAPI_JUMPSTART_MIRROR": str(mirror), "MLAPI_CACHE": str(tmp_path)}
    free = open_catalog(tmp_path / "elsewhere/models.json", environment=environment)
    pinned = open_catalog(tmp_path / "models.json", environment=environment)
    assert free.resolve(MODEL, region=REGION).version == "2.0.0"
    facts = pinned.resolve(MODEL, region=REGION)
    assert (facts.version, facts.source, facts.fidelity) == ("1.2.0", "lock", "full")


def test_a_lock_gives_the_same_facts_as_the_spec(tmp_path: Path) -> None:
    drafted = component(hosting_additional_data_sources=DRAFT)
    spec = make_configured(["quick", "plain"], quick=drafted, plain=component())
    mirror = write_mirror(tmp_path / "mirror", spec)
    environment = {"MLAPI_JUMPSTART_MIRROR": str(mirror), "MLAPI_CACHE": str(tmp_path)}
    before = open_catalog(environment=environment)
    (tmp_path / LOCK_NAME).write_text(render_lock([Locked.of(before.find(MODEL, "*", REGION), "*")]))
    after = open_catalog(tmp_path / "models.json", environment=environment)
    first, second = before.resolve(MODEL, region=REGION), after.resolve(MODEL, region=REGION)
    assert second.source == "lock"
    assert replace(second, source=first.source) == first


@pytest.mark.parametrize(("wanted", "version"), [("*", "1.10.0"), ("1.2.0", "1.2.0"), ("1.*", "1.10.0")])
def test_the_newest_locked_version_that_is_wanted(wanted: str, version: str, tmp_path: Path) -> None:
    lock = load_lock(write_lock(tmp_path, "1.2.0", "1.10.0"))
    assert lock is not None
    assert lock.find(MODEL, wanted).spec["version"] == version


@pytest.mark.parametrize(("model", "wanted"), [(MODEL, "2.*"), ("acme-textgeneration-other", "*")])
def test_a_config_that_changed_since_is_told_to_lock_again(model: str, wanted: str, tmp_path: Path) -> None:
    lock = load_lock(write_lock(tmp_path, "1.2.0"))
    assert lock is not None
    with pytest.raises(LockError, match="does not cover") as raised:
        lock.find(model, wanted)
    assert "mlapi lock" in raised.value.fix


def test_a_lock_that_was_changed_by_hand_is_refused(tmp_path: Path) -> None:
    path = write_lock(tmp_path, "1.2.0")
    path.write_text(path.read_text().replace("tiny/prepacked/v1/", "tiny/other/v1/"))
    with pytest.raises(LockError, match="changed by hand"):
        load_lock(path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"format": 99, "models": []}', '{"format": 1, "models": [{}]}', '{"format": 1}'],
)
def test_what_is_no_lock_is_refused_and_not_a_traceback(text: str, tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text(text)
    with pytest.raises(LockError):
        load_lock(tmp_path / LOCK_NAME)


def test_the_same_models_give_the_same_text(tmp_path: Path) -> None:
    text = write_lock(tmp_path, "1.2.0").read_text()
    shuffled = dict(reversed(make_spec(version="1.2.0").items()))
    assert render_lock([Locked.of(Found(shuffled, "live"), "*")]) == text
    assert "hosting_script_key" not in json.loads(text)["models"][0]["spec"]  # nothing reads it


def test_without_a_lock_there_is_none(tmp_path: Path) -> None:
    assert load_lock(tmp_path / LOCK_NAME) is None
