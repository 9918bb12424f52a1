"""Which commands can be started, and are told their port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


LINE = "a whole command line in one string"


@pytest.fixture
def found(good: dict[str, Any], problems_of: Callable[..., Any]) -> Callable[[list[str]], Any]:
    """Gives the id, path, found and fix of each problem with a command."""

    def check(run: list[str]) -> list[tuple[str, str, str, str]]:
        good["models"][1]["local"] = {"engine": "command", "run": run}
        start = "$.models[1].local."
        return [
            (problem.id, problem.location.path.removeprefix(start), problem.found, problem.fix)
            for problem in problems_of(good)
        ]

    return check


@pytest.mark.parametrize(
    "run", [["serve", "{port}"], ["serve", "--port={port}", ""], ["my program", "{port}"], ["{port}"]]
)
def test_a_program_that_is_told_its_port_is_fine(run: list[str], found: Callable[..., Any]) -> None:
    assert found(run) == []


def test_a_program_that_is_not_told_its_port_is_a_warning(found: Callable[..., Any]) -> None:
    ((identity, path, text, _),) = found(["serve", "port"])
    assert (identity, path, text) == ("C303", "run", "no {port} among the arguments")


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (["", "{port}"], ("run[0]", '"": no program', "")),
        ([" ", "{port}"], ("run[0]", '" ": no program', "")),
        (["a --port {port}"], ("run[0]", f'"a --port {{port}}": {LINE}', 'write ["a", "--port", "{port}"]')),
        (["it's a {port}"], ("run[0]", f'"it\'s a {{port}}": {LINE}', "")),
        (["a", "b c\0{port}"], ("run[1]", '"b c\\u0000{port}": an argument cannot contain NUL', "")),
    ],
)
def test_what_cannot_be_started_is_refused(
    run: list[str], problem: tuple[str, str, str], found: Callable[..., Any]
) -> None:
    assert found(run) == [("C307", *problem)]
