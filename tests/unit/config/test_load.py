"""From a file to a config: what loads, and that nothing is reported piecemeal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

REPOSITORY = Path(__file__).parents[3]
ORIGINALS = Path(__file__).parent / "originals"


def test_the_good_config_has_no_problem(problems_of: Callable[..., Any], good_text: str) -> None:
    assert problems_of(good_text) == ()


@pytest.mark.parametrize("name", ["one-lambda-one-package.json", "two-packages.json"])
def test_configs_of_the_original_load_and_only_its_old_runtime_is_warned_of(
    name: str, problems_of: Callable[..., Any]
) -> None:
    found = {problem.id for problem in problems_of((ORIGINALS / name).read_text())}
    assert found <= {"C211"}


@pytest.mark.parametrize("name", ["models.json", "showcase.json", "showcase-small.json"])
def test_our_own_configs_have_no_problem(name: str, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert load_config(Path("config") / name, now=now).warnings == ()


def test_the_showcase_for_a_small_machine_is_the_showcase_as_one_group_of_sleepers() -> None:
    whole, small = (
        json.loads((REPOSITORY / "config" / name).read_text())
        for name in ("showcase.json", "showcase-small.json")
    )
    for entry in small["endpoints"]:
        assert (entry["local"].pop("shares"), entry["local"].pop("idle")) == ("memory", "5m")
    assert small == whole


def test_a_loaded_config_knows_its_absolute_path_and_the_project_root(
    project: Path, good_text: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "config/models.json").write_text(good_text)
    monkeypatch.chdir(project / "config")
    loaded = load_config(Path("models.json"), now=now)
    assert (loaded.path, loaded.root) == (project / "config/models.json", project)


def test_yaml_gives_the_same_config_as_json(project: Path, good_text: str, now: datetime) -> None:
    (project / "config/same.json").write_text(good_text)
    (project / "config/same.yml").write_text(good_text)
    as_json = load_config(project / "config/same.json", now=now)
    assert load_config(project / "config/same.yml", now=now).config == as_json.config


def test_a_byte_order_mark_does_not_move_the_columns(problems_of: Callable[..., Any]) -> None:
    (problem,) = problems_of('\ufeff{"models": 3}')
    assert (problem.location.line, problem.location.column) == (1, 12)


def test_problems_come_in_file_order(problems_of: Callable[..., Any]) -> None:
    problems = problems_of({"models": [{"name": "A"}, {"name": "B"}], "event": {"ends": "x"}})
    starts = [(problem.location.line, problem.location.column) for problem in problems]
    assert starts == sorted(starts)


def test_warnings_alone_stop_nothing_and_come_with_the_config(
    good: dict[str, Any], project: Path, now: datetime
) -> None:
    good["models"][0]["integration"]["properties"]["timeout"] = 60
    path = project / "config/warned.json"
    path.write_text(json.dumps(good))
    assert [problem.id for problem in load_config(path, now=now).warnings] == ["C215"]


@pytest.mark.parametrize("name", ["x" * 5000, "nul\0byte", "", "folder"])
def test_a_name_that_is_no_file_is_one_problem(name: str, tmp_path: Path, now: datetime) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path / name, now=now)
    assert [problem.id for problem in raised.value.problems] == ["C001"]


@pytest.mark.parametrize("written", ["x" * 5000, "nul\0byte", "\n"])
def test_odd_paths_inside_the_config_are_problems_too(
    written: str, good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["models"][0]["integration"]["properties"]["code"] = written
    good["models"][0]["local"] = {"engine": "llama.cpp", "weights": written}
    good["models"][1]["local"] = {"engine": "python", "code": written}
    assert {problem.id for problem in problems_of(good)} >= {"C302"}


def test_a_misspelt_key_is_one_problem_and_not_a_missing_one_as_well(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    model = good["models"][0]
    model["intance"], model["modelid"] = model.pop("instance"), model.pop("model_id")
    model["integraton"] = model.pop("integration")
    assert {problem.id for problem in problems_of(good)} == {"C010"}


def test_where_code_leads_is_decided_when_the_config_is_read(
    good: dict[str, Any], project: Path, now: datetime
) -> None:
    path = project / "config/led.json"
    path.write_text(json.dumps(good))
    code = good["models"][0]["integration"]["properties"]["code"]
    assert load_config(path, now=now).code_folders[code] == project / code
