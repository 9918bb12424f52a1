r"""Patterns of JSON schemas: those that people write pass, those that stop llama.cpp do not."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.admission.pattern_rules import check_pattern, count_ways


@pytest.mark.parametrize(
    ("pattern", "ways"),
    [
        (r"^\d{4}-\d{2}-\d{2}$", 1),
        ("^[a-z]{1,50}(-[a-z]{1,50}){0,20}$", 1),
        (r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$", 10),
        ("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", 1),
        (r"^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)$", 253),
        ("^#?([a-f0-9]{6}|[a-f0-9]{3})$", 2),
        ("^(ja|nein)?$", 1),
        ("^.*$", 1),
        ("^[]a]+$", 1),
        ("", 1),
        ("^([a-z]+)+$", 2_048),
    ],
)
def test_what_people_write_passes(pattern: str, ways: int) -> None:
    assert count_ways(pattern) == ways
    assert list(check_pattern("p", pattern)) == []


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("^([a-z]?){1,1000}$", "repeats what may be empty"),
        ("^((a*)*)*$", "repeats what may be empty"),
        ("^(((a{1,99}){1,99}){1,99}){1,99}$", "too long once its repeats are written out: over 2,000"),
        ("^a{999999}$", "too long once its repeats are written out"),
        ("^(" + "|".join(["[a-z]"] * 100) + "){1,10}$", "too many characters that may follow each other"),
        ("^(([a-z]+)+)+$", "it can read 12 characters in 177,147 ways, and this model takes at most 3,000"),
        ("(" * 17 + "a" + ")" * 17, "nests more than 16 groups"),
        ("(" * 1000, "nests more than 16 groups"),
        ("a" * 1025, "has 1,025 characters; this model takes at most 1,024"),
        ("^(a$", "has a '(' without a ')'"),
        ("^a)$", "has a ')' without a '('"),
        ("*a", "repeats nothing"),
        ("^+[a-z]$", "repeats nothing"),
        ("^{2}times$", "repeats nothing"),
        ("^a^+$", "has a '^' that is not its start, or a '$' that is not its end"),
        ("^(a$|b)$", "has a '^' that is not its start, or a '$' that is not its end"),
        ("a{3,2}", "repeats something at most 0 times, or less often than at least"),
        ("a{0}", "repeats something at most 0 times"),
        ("[z-a]", "has a set of characters that is none"),
        ("[" * 1000, "has something at character 1 that this model cannot follow"),
        (r"^(a)\1$", "has something at character 5 that this model cannot follow"),
        ("(?=a)", "repeats nothing"),
    ],
)
def test_what_stops_the_server_is_refused(pattern: str, message: str) -> None:
    (violation, *_) = check_pattern("response_format.schema.pattern", pattern)
    assert violation.field == "response_format.schema.pattern"
    assert violation.message.startswith("'response_format.schema.pattern' ")
    assert message in violation.message


def test_a_repeat_counts_as_often_as_it_is_written_out() -> None:
    assert list(check_pattern("p", "^a{2000}$")) == []
    assert len(list(check_pattern("p", "^a{2001}$"))) == 1
