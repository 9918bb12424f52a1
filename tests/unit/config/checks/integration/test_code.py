"""When the handler of a function counts as missing, and when nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def severities(
    good: dict[str, Any], project: Path, problems_of: Callable[..., Any]
) -> Callable[..., list[str]]:
    """Writes a function and gives the severities of the problems with its handler."""

    def check(source: str | bytes, **properties: Any) -> list[str]:
        folder = project / "functions/tried"
        folder.mkdir(exist_ok=True)
        (folder / "index.py").write_bytes(source.encode() if isinstance(source, str) else source)
        good["models"][0]["integration"]["properties"] |= {"code": "functions/tried", **properties}
        return [problem.severity for problem in problems_of(good) if problem.id == "C208"]

    return check


@pytest.mark.parametrize(
    "source",
    [
        "def lambda_handler(event, context): ...",
        "async def lambda_handler(event, context): ...",
        "from elsewhere import lambda_handler",
        "from elsewhere import main as lambda_handler",
        "lambda_handler = make()",
        "lambda_handler: object = make()",
        "class lambda_handler: ...",
        "if True:\n    def lambda_handler(event, context): ...",
        "try:\n    from fast import lambda_handler\nexcept ImportError:\n    def lambda_handler(e, c): ...",
        "try:\n    pass\nexcept ImportError:\n    def lambda_handler(e, c): ...",
        "match 1:\n    case 1:\n        def lambda_handler(e, c): ...",
        "for lambda_handler in []: ...",
        "from elsewhere import *",
        "globals()['lambda_handler'] = print",
        "def __getattr__(name): ...",
        "'\\d'\ndef lambda_handler(event, context): ...",
    ],
)
def test_a_handler_that_is_or_may_be_there_is_fine(source: str, severities: Callable[..., list[str]]) -> None:
    assert severities(source) == []


@pytest.mark.parametrize(
    "source",
    ["", "def other(event, context): ...", "def f():\n    lambda_handler = 1", "print(lambda_handler)"],
)
def test_a_handler_that_is_certainly_not_there_is_an_error(
    source: str, severities: Callable[..., list[str]]
) -> None:
    assert severities(source) == ["error"]


@pytest.mark.parametrize("source", ["def lambda_handler(:", "nul\0byte", "# é".encode("latin-1")])
def test_a_file_that_this_python_cannot_read_is_a_warning(
    source: str | bytes, severities: Callable[..., list[str]]
) -> None:
    assert severities(source) == ["warning"]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"handler": "other.main"}, ["error"]),
        (
            {"handler": "other.main", "layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"]},
            ["warning"],
        ),
        ({"handler": "other.main", "runtime": "nodejs22.x"}, []),
        ({"handler": "nodot"}, ["error"]),
        ({"handler": "x" * 5000 + ".main"}, ["error"]),
    ],
)
def test_the_file_of_the_handler(
    properties: dict[str, Any], expected: list[str], severities: Callable[..., list[str]]
) -> None:
    assert severities("def lambda_handler(event, context): ...", **properties) == expected
