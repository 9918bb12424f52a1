"""Which of many ids was probably meant."""

from __future__ import annotations

from centralized_ml_api.catalog.suggestion import closest

IDS = [f"acme-textgeneration-tiny-{number}" for number in range(9)]


def test_the_nearest_come_first_and_no_more_than_were_asked_for() -> None:
    assert closest("acme-textgeneration-tiny-7", IDS)[0] == "acme-textgeneration-tiny-7"
    assert len(closest("acme-textgeneration-tiny", IDS)) == 3
    assert len(closest("acme-textgeneration-tiny", IDS, 5)) == 5


def test_a_part_of_an_id_is_near_and_something_else_is_not() -> None:
    assert closest("Tiny-4", IDS) == ["acme-textgeneration-tiny-4"]
    assert closest("", IDS) == []
    assert closest("stable-diffusion", IDS) == []
