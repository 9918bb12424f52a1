"""`mlapi explain` has a page for every id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


def test_explain_prints_the_page_of_an_id_in_any_case(mlapi: Mlapi) -> None:
    page = mlapi("explain", "c102")
    assert page.status == 0
    assert page.out.startswith("## C102: unsupported instance type\n")


def test_explain_without_an_id_lists_them_all(mlapi: Mlapi) -> None:
    assert [line.split()[0] for line in mlapi("explain").out.splitlines()] == [rule.id for rule in RULES]


def test_explain_of_an_unknown_id_suggests_one(mlapi: Mlapi) -> None:
    refused = mlapi("explain", "C1033")
    assert refused.status == 2
    assert "mlapi explain C103" in refused.talk
