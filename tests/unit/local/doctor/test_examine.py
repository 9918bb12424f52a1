from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from centralized_ml_api.api.keys import new_key
from centralized_ml_api.local.doctor import examine
from centralized_ml_api.local.doctor.examine import check_keys
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.keys.record import TeamRecord
from centralized_ml_api.plan.finding import Finding

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_problems_of_the_config_do_not_hide_those_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text('{"models": [{}]}')
    found = examine(tmp_path / "models.json", 0, tmp_path / "state", NOW)
    checks = [finding.check for finding in found]
    assert checks[0] == "config"
    assert found[0].severity == "error"
    assert checks[-4:] == ["platform", "port", "memory", "disk"]


def test_what_the_models_of_the_config_take_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "ocr").mkdir()
    (tmp_path / "ocr" / "inference.py").write_text("")
    (tmp_path / "models.json").write_text(
        '{"models": [], "endpoints": [{"name": "ocr", "integration": {"type": "api"}, '
        '"local": {"engine": "python", "code": "ocr", "replicas": 3}}]}'
    )
    found = {finding.check: finding for finding in examine(tmp_path / "models.json", 0, tmp_path, NOW)}
    assert found["config"].severity == "ok"
    assert found["packages"].severity == "ok"
    assert "3 model processes" in found["memory"].detail


def test_a_file_of_keys_that_cannot_be_read_is_found_before_the_start(tmp_path: Path) -> None:
    assert not list(check_keys(tmp_path))
    KeyStore(tmp_path).change(lambda _: (TeamRecord("red", new_key()),))
    assert list(check_keys(tmp_path)) == [
        Finding("keys", "ok", "the team keys can be read", f"1 in {tmp_path}")
    ]
    (tmp_path / "keys.json").write_text("{")
    (found,) = check_keys(tmp_path)
    assert (found.check, found.severity) == ("keys", "error")
    assert str(tmp_path / "keys.json") in found.title
    assert found.fix
