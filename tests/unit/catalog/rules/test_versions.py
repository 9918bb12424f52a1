"""Rules 2 and 3: which row of the manifests is meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.catalog.manifest import Row
from centralized_ml_api.catalog.rules.versions import UNDERSTOOD_SDK, select_row, unknown_version


def rows(*versions: str, kind: str = "open", needs: str = "2.0") -> list[Row]:
    return [Row("m", version, f"{version}.json", needs, kind) for version in versions]  # type: ignore[arg-type]


OPEN = rows("1.2.0", "1.10.0", "1.9.3", "2.0.1", "2.0.0")


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        ("*", "2.0.1"),
        ("1.*", "1.10.0"),  # by number, not by letter
        ("1.2.0", "1.2.0"),
        ("1.2", "1.2.0"),
        (">=1.3,<2", "1.10.0"),
        ("~=1.9", "1.10.0"),
        ("3.*", None),
        ("latest", None),
        ("", None),
    ],
)
def test_rule_3_open_weights(wanted: str, version: str | None) -> None:
    row = select_row(OPEN, wanted)
    assert (row.version if row else None) == version


@pytest.mark.parametrize(
    ("wanted", "version"), [("*", "2.0.010"), ("2.0.004", "2.0.004"), ("2.0.4", None), ("2.*", None)]
)
def test_rule_3_proprietary_versions_are_texts(wanted: str, version: str | None) -> None:
    row = select_row(rows("2.0.004", "2.0.010", "1.99.0", kind="proprietary"), wanted)
    assert (row.version if row else None) == version


def test_rule_3_a_row_that_needs_newer_rules_is_left_out() -> None:
    both = [*rows("1.0.0"), *rows("2.0.0", needs="99.0")]
    row = select_row(both, "*")
    assert row is not None
    assert row.version == "1.0.0"
    assert select_row(both, "2.0.0") is None
    error = unknown_version("m", "2.0.0", both)
    assert f"this program knows those of {UNDERSTOOD_SDK}" in error.message
    assert (error.expected, error.fix) == ("one of 1.0.0", 'write "1.0.0"')
    error = unknown_version("m", "2.0.0", rows("2.0.0", needs="99.0"))
    assert (error.expected, error.fix) == ("a model that needs no newer rules", "update this program")
    error = unknown_version("m", "2.*", rows("2.0.004", kind="proprietary"))
    assert (error.message, error.fix) == ("m has no version 2.*", 'write "2.0.004"')


def test_rule_3_an_unknown_version_names_the_newest_ones() -> None:
    error = unknown_version("m", "9.9.9", OPEN)
    assert error.expected == "one of 2.0.1, 2.0.0, 1.10.0, 1.9.3, 1.2.0, or *"
    assert error.fix == 'write "2.0.1"'


@settings(deadline=None)
@given(st.lists(st.text(max_size=8), max_size=6), st.text(max_size=8))
def test_rule_3_no_text_of_a_manifest_or_config_breaks_the_choice(versions: list[str], wanted: str) -> None:
    row = select_row(rows(*versions), wanted)
    assert row is None or row.version in versions


def test_rule_3_a_specifier_finds_a_version_before_its_release() -> None:
    row = select_row(rows("1.0.0", "1.1.0rc1"), ">=1.0")
    assert row is not None
    assert row.version == "1.1.0rc1"
