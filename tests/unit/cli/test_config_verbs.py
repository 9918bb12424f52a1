"""`init`, `check`, `explain`, `schema`: what they print where, and their exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.checks.registry import RULES
from centralized_ml_api.config.json_schema import load_schema_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Mlapi = Callable[..., subprocess.CompletedProcess[str]]

BROKEN = """{"models": [
  {"name": "chat", "model_id": "m", "instance": "g5.2xlarge", "integration": {"type": "api"}}
]}"""


@pytest.fixture
def mlapi(tmp_path: Path) -> Mlapi:
    """Runs the command line in an empty folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from centralized_ml_api.cli import main; main()", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.mark.parametrize("name", ["config/models.json", "mine.yaml", "deep/down/mine.yml"])
def test_init_writes_a_config_that_check_accepts(name: str, mlapi: Mlapi, tmp_path: Path) -> None:
    written = mlapi("init", name)
    assert (written.returncode, written.stdout) == (0, f"{name}\n")
    assert written.stderr.splitlines()[-1] == f"Next: mlapi up {name}"
    assert (tmp_path / name).is_file()
    checked = mlapi("check", name)
    assert (checked.returncode, checked.stdout) == (0, f"{name}: 1 model, 0 endpoints, no problems\n")


def test_init_without_a_name_writes_what_check_reads_without_one(mlapi: Mlapi) -> None:
    assert mlapi("init").returncode == 0
    assert mlapi("check", "--offline").returncode == 0


@pytest.mark.parametrize("name", ["mine.json", "mine.yaml"])
def test_init_empty_has_no_model_and_check_accepts_it(name: str, mlapi: Mlapi) -> None:
    written = mlapi("init", "--empty", name)
    assert f"mlapi models add ID {name}" in written.stderr
    checked = mlapi("check", name)
    assert (checked.returncode, checked.stdout) == (0, f"{name}: 0 models, 0 endpoints, no problems\n")


def test_init_never_overwrites(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("precious")
    refused = mlapi("init", "mine.json")
    assert refused.returncode == 2
    assert "exists already" in refused.stderr
    assert (tmp_path / "mine.json").read_text() == "precious"


def test_init_below_a_file_is_refused_and_not_a_traceback(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = mlapi("init", "file/mine.json")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_check_shows_problems_on_stderr_and_exits_2(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text(BROKEN)
    checked = mlapi("check", "broken.json")
    assert (checked.returncode, checked.stdout) == (2, "")
    assert "error[C102]: unsupported instance type" in checked.stderr
    assert checked.stderr.splitlines()[-1] == "Next: mlapi explain C501"


def test_check_json_is_data_on_stdout_whether_good_or_bad(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text(BROKEN)
    (tmp_path / "good.json").write_text('{"models": []}')
    bad, good = mlapi("check", "broken.json", "--json"), mlapi("check", "good.json", "--json")
    assert (bad.returncode, good.returncode) == (2, 0)
    assert json.loads(good.stdout) == {"ok": True, "problems": []}
    answer = json.loads(bad.stdout)
    assert answer["ok"] is False
    assert [(one["id"], one["line"], one["path"]) for one in answer["problems"]] == [
        ("C501", 2, "$.models[0].model_id"),
        ("C102", 2, "$.models[0].instance"),
    ]


def test_check_shows_warnings_and_exits_0(mlapi: Mlapi, tmp_path: Path) -> None:
    accept = BROKEN.replace('"api"', '"api", "headers": ["Accept"]').replace("g5.", "ml.g5.")
    accept = accept.replace('"m"', '"huggingface-textgeneration-open-llama"')
    (tmp_path / "warned.json").write_text(accept)
    checked = mlapi("check", "warned.json", "--offline")
    assert checked.returncode == 0
    assert "warning[C204]" in checked.stderr
    assert checked.stdout == "warned.json: 1 model, 0 endpoints, 1 warning\n"


def test_explain_prints_the_page_of_an_id_in_any_case(mlapi: Mlapi) -> None:
    page = mlapi("explain", "c102")
    assert page.returncode == 0
    assert page.stdout.startswith("## C102: unsupported instance type\n")


def test_explain_without_an_id_lists_them_all(mlapi: Mlapi) -> None:
    assert [line.split()[0] for line in mlapi("explain").stdout.splitlines()] == [rule.id for rule in RULES]


def test_explain_of_an_unknown_id_suggests_one(mlapi: Mlapi) -> None:
    refused = mlapi("explain", "C1022")
    assert refused.returncode == 2
    assert "mlapi explain C102" in refused.stderr


def test_schema_prints_the_schema(mlapi: Mlapi) -> None:
    assert mlapi("schema").stdout == load_schema_text()
