"""Which weights an engine takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def found(good: dict[str, Any], problems_of: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the id, found and expected of each problem with weights."""

    def check(weights: str, engine: str = "llama.cpp") -> list[tuple[str, str, str]]:
        more = {"code": "models/ocr"} if engine == "python" else {}
        good["models"][1]["local"] = {"engine": engine, "weights": weights, **more}
        return [(problem.id, problem.found, problem.expected) for problem in problems_of(good)]

    return check


@pytest.mark.parametrize("engine", ["llama.cpp", "python"])
@pytest.mark.parametrize(
    "weights", ["models/ocr/sample.png", "https://host/file", "hf://owner/repo/file", "pypi://a==1/b"]
)
def test_a_file_is_fine(weights: str, engine: str, found: Callable[..., Any]) -> None:
    assert found(weights, engine) == []


@pytest.mark.parametrize(
    ("weights", "identity", "reason"),
    [
        ("models/ocr", "C302", ", which is not a file"),
        ("hf://owner/repo", "C301", ": llama.cpp takes one file, not a repository: hf://owner/repo/file"),
    ],
)
def test_only_the_engine_python_takes_folders(
    weights: str, identity: str, reason: str, found: Callable[..., Any]
) -> None:
    assert found(weights, "python") == []
    assert [problem[:2] for problem in found(weights)] == [(identity, f'"{weights}"{reason}')]


@pytest.mark.parametrize(
    ("engine", "kind", "forms"),
    [("llama.cpp", "file", ""), ("python", "file or folder", "; or a folder, or hf://owner/repo")],
)
def test_weights_that_are_missing_or_malformed_are_refused(
    engine: str, kind: str, forms: str, project: Path, found: Callable[..., Any]
) -> None:
    ((identity, text, expected),) = found("nowhere", engine)
    assert (identity, text) == ("C302", f'"nowhere", which is not a {kind}')
    assert expected == f"a {kind}: {project / 'nowhere'} or {project / 'config/nowhere'}"
    ((identity, text, expected),) = found("ftp://host/file", engine)
    assert (identity, text) == ("C301", '"ftp://host/file": ftp:// is not a known kind of URL')
    assert expected.endswith(f"each with an optional #sha256=…{forms}")
