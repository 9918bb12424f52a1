"""`mlapi init` writes a config that can be served, and never overwrites one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


@pytest.mark.parametrize("name", ["config/models.json", "mine.yaml", "deep/down/mine.yml"])
def test_init_writes_a_config_that_check_accepts(name: str, mlapi: Mlapi, tmp_path: Path) -> None:
    written = mlapi("init", name)
    assert (written.status, written.out) == (0, f"{name}\n")
    assert written.talk.splitlines()[-1] == f"Next: mlapi check {name}"
    assert (tmp_path / name).is_file()
    checked = mlapi("check", name)
    assert (checked.status, checked.out) == (0, f"{name}: 1 model, 0 endpoints, no problems\n")


def test_init_without_a_name_writes_what_check_reads_without_one(mlapi: Mlapi) -> None:
    assert mlapi("init").status == 0
    assert mlapi("check", "--offline").status == 0


@pytest.mark.parametrize("name", ["mine.json", "mine.yaml"])
def test_init_empty_has_no_model_and_check_accepts_it(name: str, mlapi: Mlapi) -> None:
    written = mlapi("init", "--empty", name)
    assert written.talk == "Next: mlapi models\n"
    checked = mlapi("check", name)
    assert (checked.status, checked.out) == (0, f"{name}: 0 models, 0 endpoints, no problems\n")


def test_init_never_overwrites(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("precious")
    refused = mlapi("init", "mine.json")
    assert refused.status == 2
    assert "mine.json already exists and was not changed" in refused.talk
    assert (tmp_path / "mine.json").read_text() == "precious"


def test_init_below_a_file_is_refused_and_not_a_traceback(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = mlapi("init", "file/mine.json")
    assert refused.status == 2
    assert "Traceback" not in refused.talk


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("functions", ["functions/example_function", "models/text_to_image"]),
        (
            "showcase",
            [f"models/{part}" for part in ("embeddings", "speech_to_text", "text_to_speech", "ocr")],
        ),
        (
            "showcase-small",
            [f"models/{part}" for part in ("embeddings", "speech_to_text", "text_to_speech", "ocr")],
        ),
        ("teams", []),
    ],
)
def test_an_example_comes_with_all_that_it_needs(
    name: str, written: list[str], mlapi: Mlapi, tmp_path: Path
) -> None:
    brought = mlapi("init", "--example", name)
    assert (brought.status, brought.out.splitlines()) == (0, ["config/models.json", *written])
    assert brought.talk == "Next: mlapi up config/models.json\n"
    assert {path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == {
        "config",
        *written,
    }
    checked = mlapi("check", "--offline")
    assert (checked.status, "no problems" in checked.out) == (0, True)
    assert mlapi("plan").status == 0


def test_a_second_example_goes_beside_the_first(mlapi: Mlapi) -> None:
    assert mlapi("init", "--example", "functions").status == 0
    beside = mlapi("init", "--example", "functions", "mine.json")
    assert (beside.status, beside.out.splitlines()[0]) == (0, "mine.json")
    assert mlapi("check", "--offline", "mine.json").status == 0


def test_an_example_overwrites_nothing_without_being_asked(mlapi: Mlapi, tmp_path: Path) -> None:
    function = tmp_path / "functions/example_function/index.py"
    function.parent.mkdir(parents=True)
    function.write_text("precious")
    refused = mlapi("init", "--example", "functions")
    assert refused.status == 2
    assert refused.talk.splitlines() == [
        "Exists already, and differs from the example: functions/example_function/index.py",
        "error: this needs your confirmation, and standard input is not a terminal",
        "  fix: add --yes to confirm",
    ]
    assert function.read_text() == "precious"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [function]
    assert mlapi("init", "--example", "functions", "--yes").status == 0
    assert "def lambda_handler" in function.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--example", "nope"), "'nope' is not one of 'functions', 'showcase', 'showcase-small', 'teams'"),
        (("--example", "teams", "--empty"), "--empty and --example exclude each other"),
        (("--example", "teams", "mine.yaml"), "mine.yaml would be read as YAML, and examples are JSON"),
        (("--example", "teams", "file/mine.json"), "file/mine.json cannot be written"),
        (("--example", "teams", "."), ". cannot be written"),
    ],
)
def test_an_example_that_cannot_be_brought_says_why(
    arguments: tuple[str, ...], said: str, mlapi: Mlapi, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    refused = mlapi("init", *arguments)
    assert (refused.status, refused.out) == (2, "")
    assert said in refused.talk
    assert "Traceback" not in refused.talk
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
