"""The code and the closed door on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.keys import JoinBook
from centralized_ml_api.plan.event import JoinPlan, TeamPlan

if TYPE_CHECKING:
    from pathlib import Path

TEAM = TeamPlan("", None, None, None)


def test_a_code_is_made_once_and_kept_private(tmp_path: Path) -> None:
    code = JoinBook(tmp_path).load().code
    assert JoinBook(tmp_path).load().code == code
    assert JoinBook(tmp_path).path.stat().st_mode & 0o777 == 0o600
    assert JoinBook(tmp_path).code_of(JoinPlan(1, TEAM)) == code
    assert JoinBook(tmp_path).code_of(JoinPlan(1, TEAM, "HERON-42")) == "HERON-42"


def test_the_door_is_closed_and_opened_with_the_same_code(tmp_path: Path) -> None:
    book = JoinBook(tmp_path)
    code = book.load().code
    book.set_closed(is_closed=True)
    assert (JoinBook(tmp_path).load().is_closed, JoinBook(tmp_path).load().code) == (True, code)
    book.set_closed(is_closed=False)
    assert not JoinBook(tmp_path).load().is_closed


def test_another_code_leaves_the_door_as_it_is(tmp_path: Path) -> None:
    book = JoinBook(tmp_path)
    before = book.load().code
    book.set_closed(is_closed=True)
    book.renew_code()
    assert book.load().code != before
    assert book.load().is_closed


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1, "code": ""}', "x7KQ2"])
def test_a_damaged_file_is_named_and_not_quoted(text: str, tmp_path: Path) -> None:
    book = JoinBook(tmp_path)
    book.path.write_text(text)
    with pytest.raises(StartError, match=r"join\.json is not of this version") as caught:
        book.load()
    assert "x7KQ2" not in str(caught.value) + repr(caught.value.__cause__)


def test_neither_the_code_nor_a_key_is_in_what_python_shows(tmp_path: Path) -> None:
    joining = JoinBook(tmp_path).load()
    assert joining.code not in repr(joining)
