"""When entries share a server that several models may run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def found(problems_of: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the names of the entries that C310 is about, of entries with these `local` blocks."""

    def check(*blocks: dict[str, Any]) -> list[str]:
        entries = [
            {"name": f"e{number}", "integration": {"type": "api"}, "local": block}
            for number, block in enumerate(blocks)
        ]
        problems = problems_of({"models": [], "endpoints": entries})
        assert {problem.id for problem in problems} <= {"C310"}
        return [f"e{problem.location.path.partition('[')[2][0]}" for problem in problems]

    return check


def url(address: str, **more: str) -> dict[str, str]:
    return {"engine": "url", "url": address, **more}


def command(*run: str, **more: str) -> dict[str, Any]:
    return {"engine": "command", "run": [*run, "{port}"], **more}


@pytest.mark.parametrize(
    ("blocks", "warned"),
    [
        ([url("http://a:1/x"), url("http://a:1/y")], ["e0", "e1"]),
        ([url("http://a:1/x", model="m"), url("http://a:1/x")], ["e1"]),
        ([url("http://a:1/x", model="m"), url("http://a:1/x", model="n")], []),
        ([url("http://a/x"), url("http://A:80/x"), url("https://a/x")], ["e0", "e1"]),
        ([url("http://a:1/x"), url("http://a:2/x"), url("http://b:1/x")], []),
        ([command("serve"), command("serve")], ["e0", "e1"]),
        ([command("serve", model="m"), command("serve", model="n")], []),
        ([command("serve", "a"), command("serve", "b")], []),
    ],
)
def test_entries_of_one_server_name_their_models(
    blocks: list[dict[str, Any]], warned: list[str], found: Callable[..., Any]
) -> None:
    assert found(*blocks) == warned


def test_of_many_entries_on_one_server_each_names_the_first_twelve_others(
    problems_of: Callable[..., Any],
) -> None:
    blocks = [url(f"http://a:1/{number}") for number in range(14)]
    entries = [
        {"name": f"e{number}", "integration": {"type": "api"}, "local": block}
        for number, block in enumerate(blocks)
    ]
    twelve, thirteen = (
        problems_of({"models": [], "endpoints": entries[:count]})[-1].found for count in (13, 14)
    )
    assert twelve.count('"e') == thirteen.count('"e') == 12
    assert twelve.endswith('"e10" and "e11" too, without "model"')
    assert thirteen.endswith('"e11" and … too, without "model"')


def test_a_misspelt_model_is_one_problem(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["models"][1]["local"] = url("http://127.0.0.1:9000/x", modle="m")
    good["endpoints"][0]["local"]["model"] = "n"
    assert [problem.id for problem in problems_of(good)] == ["C010"]


def test_a_malformed_url_is_one_problem(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["models"][1]["local"] = url("http://a:no/x")
    assert [problem.id for problem in problems_of(good)] == ["C304"]


def test_a_blank_model_is_refused(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["endpoints"][0]["local"]["model"] = " "
    assert [problem.id for problem in problems_of(good)] == ["C015"]
