"""What is said of a Lambda runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


PYTHONS = "python3.14, python3.13, python3.12 or python3.11"


@pytest.fixture
def found(good: dict[str, Any], problems_of: Callable[..., Any]) -> Callable[[str], Any]:
    """Gives the id, severity, expectation and fix of each problem with a runtime."""

    def check(runtime: str) -> list[tuple[str, str, str, str]]:
        good["models"][0]["integration"]["properties"]["runtime"] = runtime
        return [
            (problem.id, problem.severity, problem.expected, problem.fix) for problem in problems_of(good)
        ]

    return check


@pytest.mark.parametrize(
    "runtime",
    [
        "python3.14", "python3.13", "python3.12", "python3.11", "nodejs24.x", "nodejs22.x", "java25",
        "java21", "java17", "java17.al2023", "java11", "java11.al2023", "java8.al2", "java8.al2023",
        "dotnet10", "ruby4.0", "ruby3.4", "ruby3.3", "provided.al2023",
    ],
)  # fmt: skip
def test_a_supported_runtime_is_fine(runtime: str, found: Callable[[str], Any]) -> None:
    assert found(runtime) == []


@pytest.mark.parametrize(
    ("runtime", "supported", "fix"),
    [
        ("python3.8", PYTHONS, "python3.13"),
        ("nodejs12.x", "nodejs24.x or nodejs22.x", "nodejs22.x"),
        ("dotnetcore3.1", "dotnet10", "dotnet10"),
        ("ruby2.7", "ruby4.0, ruby3.4 or ruby3.3", "ruby3.4"),
        ("provided", "provided.al2023", "provided.al2023"),
    ],
)
def test_a_retired_runtime_is_an_error_with_those_of_its_language(
    runtime: str, supported: str, fix: str, found: Callable[[str], Any]
) -> None:
    assert found(runtime) == [
        ("C209", "error", f"a runtime that AWS supports: {supported}", f'write "{fix}"')
    ]


@pytest.mark.parametrize(
    "runtime", ["python3.10", "python3.9", "nodejs20.x", "dotnet8", "ruby3.2", "provided.al2"]
)
def test_a_deprecated_runtime_is_a_warning(runtime: str, found: Callable[[str], Any]) -> None:
    assert [problem[:2] for problem in found(runtime)] == [("C211", "warning")]


@pytest.mark.parametrize(
    "runtime",
    [
        "python3.7", "python3.6", "python2.7", "nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs10.x",
        "nodejs8.10", "nodejs6.10", "nodejs4.3", "java8", "go1.x", "dotnet7", "dotnet6", "dotnet5.0",
        "dotnetcore2.1", "dotnetcore2.0", "dotnetcore1.0", "ruby2.5",
    ],
)  # fmt: skip
def test_other_retired_runtimes_are_errors_too(runtime: str, found: Callable[[str], Any]) -> None:
    assert [problem[:2] for problem in found(runtime)] == [("C209", "error")]


def test_a_runtime_of_a_language_that_is_gone_may_become_any(found: Callable[[str], Any]) -> None:
    ((_, _, expected, fix),) = found("go1.x")
    assert expected.startswith("a runtime that AWS supports: python3.14, ")
    assert expected.endswith(" or provided.al2023")
    assert fix == 'write "python3.13"'


@pytest.mark.parametrize(
    "runtime", ["python3.15", "nodejs26.x", "nodejs30.x", "java26", "dotnet11", "ruby4.1"]
)
def test_a_runtime_that_may_be_newer_than_this_program_is_a_warning(
    runtime: str, found: Callable[[str], Any]
) -> None:
    assert [problem[:2] for problem in found(runtime)] == [("C210", "warning")]


@pytest.mark.parametrize(
    ("runtime", "expected", "fix"),
    [
        ("phyton3.13", PYTHONS, 'write "python3.13"'),
        ("python3.130", PYTHONS, 'write "python3.13"'),
        ("ruby9", "ruby4.0, ruby3.4 or ruby3.3", ""),
    ],
)
def test_any_other_runtime_is_an_error(
    runtime: str, expected: str, fix: str, found: Callable[[str], Any]
) -> None:
    assert found(runtime) == [("C210", "error", f"a runtime of AWS Lambda: {expected}", fix)]
