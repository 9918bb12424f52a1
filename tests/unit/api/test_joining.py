"""How a team joins: codes, and the names that it may choose."""

from __future__ import annotations

import re

import pytest

from centralized_ml_api.api.joining import clean_name, is_code, new_code


def test_a_code_that_is_made_is_easy_to_read_and_never_the_same() -> None:
    codes = {new_code() for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch("[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", code) for code in codes)


@pytest.mark.parametrize("given", ["7KQ2-WX4Z", "7kq2wx4z", " 7KQ2 WX4Z "])
def test_a_code_may_be_written_in_any_case_with_or_without_hyphens(given: str) -> None:
    assert is_code(given, "7KQ2-WX4Z")


@pytest.mark.parametrize("given", ["", "7KQ2-WX4", "7KQ2-WX4ZZ", "7KQ2_WX4Z", "\ud800", "7KQ2-WX4\uff3a"])
def test_nothing_else_is_the_code(given: str) -> None:
    assert not is_code(given, "7KQ2-WX4Z")


@pytest.mark.parametrize(
    ("written", "name"),
    [("  Night   Owls ", "Night Owls"), ("r", "r"), ("a.b_c-d", "a.b_c-d"), ("x" * 32, "x" * 32)],
)
def test_a_name_loses_needless_spaces(written: str, name: str) -> None:
    assert clean_name(written) == name


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            " ",
            "x" * 33,
            ".env",
            "-",
            "a/b",
            "../up",
            "a\nb",
            "a\tb",
            "a\0",
            "a\x1b[31m",
            "Mädel",
            "\u200ba",
        ),
        *("<b>x</b>", "a'b", 'a"b', "a;b", "$(id)", "`id`", "{{x}}", "a\\b", "a%0d", "*"),
    ],
)
def test_a_name_has_nothing_that_means_something_elsewhere(written: str) -> None:
    assert clean_name(written) is None
