"""The wheel works from an empty folder: it holds all that it needs, and brings its own examples."""

from __future__ import annotations

import zipfile
from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.examples import EXAMPLES
from support.installed_wheel import (
    ROOT,
    Installed,
    build_project_wheel,
    build_source_distribution,
    install,
)

if TYPE_CHECKING:
    from pathlib import Path

DATA = {
    "api/errors.json",
    "api/page/index.html",
    "api/page/scripts/page.js",
    "aws/constructs/stream_function/index.mjs",
    "catalog/prices/prices.json",
    "catalog/snapshot/models.json.gz",
    "config/models.schema.json",
    "local/envoy/admission.lua",
    "local/envoy/sagemaker_errors.lua",
    "py.typed",
    "examples/config/teams.json",
    "examples/models/speech_to_text/sample.wav",
}
"""One of each kind of file that is no module."""


def list_files(folder: Path) -> set[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    return {path.relative_to(folder).as_posix() for path in files}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_project_wheel(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(wheel, tmp_path_factory.mktemp("plain") / "venv", extras=False)


@pytest.fixture(scope="module")
def complete(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(wheel, tmp_path_factory.mktemp("complete") / "venv", extras=True)


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_the_examples_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    held = {name.removeprefix("centralized_ml_api/") for name in names if ".dist-info/" not in name}
    examples = {
        f"examples/{folder}/{file}"
        for folder in ("config", "functions", "models")
        for file in list_files(ROOT / folder)
    }
    assert held == list_files(ROOT / "src/centralized_ml_api") | examples
    assert held >= DATA


@pytest.mark.slow
def test_a_source_distribution_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    again = build_project_wheel(tmp_path / "again", build_source_distribution(tmp_path))
    one, other = zipfile.ZipFile(wheel), zipfile.ZipFile(again)
    assert sorted(one.namelist()) == sorted(other.namelist())
    assert [name for name in one.namelist() if one.read(name) != other.read(name)] == []


@pytest.mark.slow
def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    said = message_from_bytes(archive.read(metadata))
    facts = (said["Name"], said["License-Expression"], said["Requires-Python"])
    assert facts == ("centralized-ml-api", "MIT-0", ">=3.11")
    assert {"local", "aws"} <= set(said.get_all("Provides-Extra", []))
    assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES)
def test_without_an_extra_an_example_is_brought_checked_and_not_served(
    example: str, plain: Installed, tmp_path: Path
) -> None:
    assert plain.mlapi("init", "--example", example, cwd=tmp_path).status == 0
    checked = plain.mlapi("check", "--offline", cwd=tmp_path)
    assert (checked.status, "no problems" in checked.out) == (0, True), checked.talk
    assert plain.mlapi("plan", cwd=tmp_path).status == 0
    refused = plain.mlapi("up", cwd=tmp_path)
    assert (refused.status, refused.out) == (1, "")
    first, fix = refused.talk.splitlines()
    assert first == "error: support for serving on this machine is not installed"
    assert fix.startswith("  fix: uv pip install 'centralized-ml-api[local] @ file://")


@pytest.mark.slow
def test_where_no_config_is_up_says_how_to_begin(plain: Installed, tmp_path: Path) -> None:
    refused = plain.mlapi("up", cwd=tmp_path)
    assert refused.status == 2
    assert "create this one: mlapi init config/models.json\n" in refused.talk


@pytest.mark.slow
@pytest.mark.parametrize(("example", "answers"), [("functions", "1 ok, 1 skipped"), ("teams", "1 ok")])
def test_an_example_is_served_from_an_empty_folder(
    example: str, answers: str, complete: Installed, tmp_path: Path
) -> None:
    assert complete.mlapi("init", "--example", example, cwd=tmp_path).status == 0
    assert complete.mlapi("check", "--offline", cwd=tmp_path).status == 0
    try:
        started = complete.mlapi("up", "--detach", "--port", "0", cwd=tmp_path)
        assert started.status == 0, started.talk
        called = complete.mlapi("smoke", cwd=tmp_path)
        assert (called.status, called.talk.splitlines()[0]) == (0, answers), called.out
    finally:
        ended = complete.mlapi("down", cwd=tmp_path)
    assert "Stopped: no process is left." in ended.talk
