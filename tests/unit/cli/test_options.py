"""Values on the command line, and what a next command repeats of them."""

from __future__ import annotations

import click
import pytest

from centralized_ml_api.aws.settings import DEFAULT_STACK, stack_flags
from centralized_ml_api.cli.options import Duration, RealRange


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("1.5h", 5400), ("30m", 1800), ("2d", 172_800)]
)
def test_they_become_seconds(written: str, seconds: float) -> None:
    assert Duration().convert(written, None, None) == seconds


@pytest.mark.parametrize("written", ["", "5", "h", "-1h", "0s", "1 h", "1w"])
def test_other_forms_are_refused_with_examples(written: str) -> None:
    with pytest.raises(click.BadParameter, match="write 90s, 30m, 48h or 2d"):
        Duration().convert(written, None, None)


def test_none_is_longer_than_a_calendar_reaches() -> None:
    with pytest.raises(click.BadParameter, match="more than 3660 days"):
        Duration().convert("100000000h", None, None)


def test_none_at_all_is_one_where_that_makes_sense() -> None:
    assert Duration(allow_zero=True).convert("0s", None, None) == 0


def test_what_is_no_number_is_in_no_range() -> None:
    assert RealRange(0, 10).convert("2.5", None, None) == 2.5
    with pytest.raises(click.BadParameter, match="is not a number"):
        RealRange(0, 10).convert("nan", None, None)


@pytest.mark.parametrize(
    ("region", "stack", "flags"),
    [
        (None, DEFAULT_STACK, ""),
        ("eu-west-1", DEFAULT_STACK, "--region eu-west-1"),
        (None, "Autumn", "--stack Autumn"),
        ("eu-west-1", "Autumn", "--region eu-west-1 --stack Autumn"),
    ],
)
def test_only_what_was_said_is_repeated(region: str | None, stack: str, flags: str) -> None:
    assert " ".join(stack_flags(region, stack)) == flags
