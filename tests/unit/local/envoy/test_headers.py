from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from centralized_ml_api.local.envoy.headers import build_complement_regex

NAMES = st.sets(st.text("ab-x:_.", max_size=4), max_size=6)


@settings(deadline=None)
@given(NAMES, st.text("ab-x:_.\n", max_size=5))
@example(set(), "")
@example({""}, "")
@example({"a", "ab"}, "a")
@example({"ab"}, "a")
def test_it_matches_exactly_what_is_not_listed(names: set[str], candidate: str) -> None:
    matches = re.fullmatch(build_complement_regex(names), candidate) is not None
    assert matches == (candidate not in names)


@settings(deadline=None)
@given(NAMES)
def test_no_listed_name_matches(names: set[str]) -> None:
    pattern = re.compile(build_complement_regex(names))
    assert [name for name in names if pattern.fullmatch(name)] == []


@settings(deadline=None)
@given(st.sets(st.text(min_size=1, max_size=3), max_size=4), st.text(max_size=3))
def test_any_character_is_taken_literally(names: set[str], candidate: str) -> None:
    assert (re.fullmatch(build_complement_regex(names), candidate) is None) == (candidate in names)


@settings(deadline=None)
@given(NAMES)
def test_the_order_of_the_names_does_not_matter(names: set[str]) -> None:
    assert build_complement_regex(sorted(names)) == build_complement_regex(sorted(names, reverse=True))
