"""The form in which problems are shown."""

from __future__ import annotations

import re

from centralized_ml_api.config.render import MOST_SHOWN, count_problems, problem_data, render_problems
from centralized_ml_api.errors import Location, Problem


def problem(line: int, column: int, length: int = 1, **other: str) -> Problem:
    return Problem("C102", "a title", Location("f.json", line, column, "$.a", length), **other)  # type: ignore[arg-type]


def excerpt(source: str, column: int, length: int) -> tuple[str, str]:
    lines = render_problems([problem(1, column, length)], source).split("\n")
    return lines[3].removeprefix("1 | "), lines[4].removeprefix("  | ")


def test_the_whole_form_of_a_problem() -> None:
    source = "\n" * 13 + '    "instance": "ml.g5.2xlrage",\n'
    shown = render_problems([problem(14, 17, 15, found="this", expected="that", fix="do so")], source)
    assert shown.split("\n") == [
        "error[C102]: a title",
        "  --> f.json:14:17  $.a",
        "   |",
        '14 |     "instance": "ml.g5.2xlrage",',
        "   |                 ^^^^^^^^^^^^^^^",
        "   found:    this",
        "   expected: that",
        "   fix:      do so",
        "",
        "1 problem",
    ]


def test_carets_stand_below_what_they_mark_after_tabs_and_wide_letters() -> None:
    assert excerpt('\t"a"', 2, 3) == ('    "a"', "    ^^^")
    assert excerpt('"日本": 3', 7, 1) == ('"日本": 3', "        ^")
    assert excerpt('"日本"', 1, 4) == ('"日本"', "^^^^^^")
    assert excerpt('"e\u0301": 3', 7, 1) == ('"e\u0301": 3', "     ^")


def test_a_long_line_is_cut_around_what_is_marked() -> None:
    text, caret = excerpt("a" * 500 + "HERE" + "b" * 500, 501, 4)
    assert text == "…" + "a" * 40 + "HERE" + "b" * 56 + "…"
    assert text[caret.index("^") : len(caret)] == "HERE"


def test_characters_that_steer_a_terminal_are_not_shown() -> None:
    shown = render_problems([problem(1, 1, found="\x1b[31m\u202e")], "\x1b[2J")
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_value_that_may_be_a_key_is_shown_with_no_problem_of_its_line() -> None:
    line = '{"intance": 1, "key": "sk-secret", "other": 2}'
    literal = Problem("C016", "key", Location("a.json", 1, 23, "$.key", 11), hides_value=True)
    beside = Problem("C010", "unknown key", Location("a.json", 1, 2, "$.intance", 9))
    assert "secret" not in render_problems([beside, literal], line)
    assert '| {"intance": 1, "key": ···········, "other": 2}' in render_problems([beside, literal], line)


def test_of_a_key_in_several_lines_the_first_is_not_shown() -> None:
    literal = Problem("C016", "key", Location("a.yaml", 1, 6, "$.key"), hides_value=True)
    assert "secret" not in render_problems([literal], "key: sk-secret-\n  more")


def test_without_a_source_no_line_is_shown() -> None:
    assert "|" not in render_problems([problem(1, 1)], "")


def test_errors_are_counted_as_problems_and_warnings_as_warnings() -> None:
    warning = problem(1, 1, severity="warning")
    assert count_problems([problem(1, 1), problem(2, 1), warning]) == "2 problems, 1 warning"
    assert count_problems([warning, warning]) == "2 warnings"
    assert count_problems([]) == "no problems"
    assert render_problems([warning], "x").startswith("warning[C102]")


def test_a_problem_as_data_is_flat() -> None:
    assert problem_data(problem(2, 3, 4, fix="do so")) == {
        "id": "C102",
        "severity": "error",
        "title": "a title",
        "file": "f.json",
        "line": 2,
        "column": 3,
        "path": "$.a",
        "length": 4,
        "found": "",
        "expected": "",
        "fix": "do so",
    }


def test_a_text_shows_a_hundred_problems_errors_first_and_counts_the_rest() -> None:
    warnings = [problem(line, 1, severity="warning") for line in range(1, 151)]
    shown = render_problems([*warnings, problem(151, 1)], "x")
    assert len(re.findall(r"^\w+\[C102\]", shown, re.MULTILINE)) == MOST_SHOWN
    assert shown.startswith("error[C102]")
    assert shown.endswith("and 51 more. To list all: mlapi check f.json --json\n\n1 problem, 150 warnings")


def test_a_hundred_problems_are_all_shown_in_file_order() -> None:
    shown = render_problems(
        [problem(1, 1, severity="warning"), *(problem(line, 1) for line in range(2, 101))], "x"
    )
    assert "more, which" not in shown
    assert shown.startswith("warning[C102]")
