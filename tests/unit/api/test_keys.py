"""The form of a key: unguessable, found by scanners, checked without asking anybody."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.api.keys import PATTERN, hide_keys, is_key, new_key

KNOWN = "mlapi_0000000000000000000000000000000000000000000XXXXXX"


def test_a_new_key_is_a_key_of_the_documented_form() -> None:
    key = new_key()
    assert is_key(key)
    assert re.fullmatch(PATTERN, key)
    assert len(key) == len(KNOWN)


def test_no_two_keys_are_equal() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000


def test_the_bits_of_a_key_are_all_chance() -> None:
    keys = [new_key() for _ in range(500)]
    seen = [{key[at] for key in keys} for at in range(7, 49)]  # the first digit holds less than six bits
    assert all(len(digits) > 50 for digits in seen)


@settings(deadline=None)
@given(at=st.integers(6, 54), digit=st.sampled_from("0123456789ABCxyz"))
def test_one_wrong_character_is_noticed(at: int, digit: str) -> None:
    key = new_key()
    wrong = key[:at] + digit + key[at + 1 :]
    assert is_key(wrong) is (wrong == key)


@settings(deadline=None)
@given(st.text())
def test_other_text_is_no_key(text: str) -> None:
    assert not is_key(text)
    assert not is_key(new_key() + text) or not text


@settings(deadline=None)
@given(before=st.text(), after=st.text())
def test_keys_are_hidden_in_any_text(before: str, after: str) -> None:
    key = new_key()
    assert key not in hide_keys(before + key + after)
