"""Code goes to AWS under a name that says what is in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from centralized_ml_api.aws.constructs.assets import ship_code
from centralized_ml_api.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.aws.constructs.stack_context import StackContext


class Location:
    """Where the CDK puts a file."""

    bucket_name = "assets"

    def __init__(self, key: str) -> None:
        self.object_key = key


class Context:
    """A stack context whose app writes to a folder, and whose synthesizer notes nothing."""

    def __init__(self, folder: Path) -> None:
        self.output_folder = folder
        self.synthesizer = self

    def add_file_asset(self, *, source_hash: str, file_name: str, **_: Any) -> Location:
        assert file_name == f"asset.{source_hash}"
        return Location(f"{source_hash}.zip")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    (folder / "deep").mkdir(parents=True)
    (folder / "index.py").write_text("1")
    (folder / "deep/run").write_text("2")
    (folder / "deep/run").chmod(0o755)
    (folder / "link").symlink_to("index.py")
    return folder


@pytest.fixture
def ship(code: Path, tmp_path: Path) -> Callable[[], Path]:
    out = tmp_path / "out"
    out.mkdir()

    def ship_it() -> Path:
        written = ship_code(code, cast("StackContext", Context(out)))
        assert written["S3Bucket"] == "assets"
        return out / f"asset.{Path(written['S3Key']).stem}"

    return ship_it


def test_files_links_and_permissions_arrive(ship: Callable[[], Path]) -> None:
    shipped = ship()
    assert sorted(str(path.relative_to(shipped)) for path in shipped.rglob("*")) == [
        *("deep", "deep/run", "index.py", "link")
    ]
    assert (shipped / "link").readlink() == Path("index.py")
    assert os.access(shipped / "deep/run", os.X_OK)
    assert ship() == shipped  # again, over what is there


@pytest.mark.parametrize(
    "target", ["{code}/index.py", ".venv/bin", ".venv", "old.pyc", "none", ".venv/../index.py"]
)
def test_a_link_to_what_is_not_shipped_is_refused_by_name(
    ship: Callable[[], Path], code: Path, target: str
) -> None:
    (code / ".venv").mkdir()
    (code / ".venv/bin").touch()
    (code / "old.pyc").touch()
    (code / "deep/link").symlink_to("../link")
    ship()
    (code / "link").unlink()
    (code / "link").symlink_to(target.format(code=code))
    with pytest.raises(DeployError, match=r"code/(deep/)?link is a link to what is not shipped"):
        ship()


@pytest.mark.parametrize(
    "change",
    [
        lambda code: (code / "index.py").write_text("3"),
        lambda code: (code / "deep/run").rename(code / "deep/start"),
        lambda code: (code / "deep").rename(code / "deeper"),
        lambda code: (code / "empty").mkdir(),
        lambda code: ((code / "link").unlink(), (code / "link").symlink_to("deep/run")),
    ],
    ids=["content", "name", "folder", "empty folder", "link"],
)
def test_the_name_changes_with_what_is_shipped(
    ship: Callable[[], Path], code: Path, change: Callable[[Path], object]
) -> None:
    before = ship()
    change(code)
    assert ship() != before


def test_the_name_stays_when_only_what_is_not_shipped_changes(ship: Callable[[], Path], code: Path) -> None:
    before = ship()
    (code / "__pycache__").mkdir()
    (code / "__pycache__/index.cpython-311.pyc").touch()
    (code / "deep/old.pyo").touch()
    os.utime(code / "index.py", (0, 0))
    assert ship() == before
