"""Who may join: places, and how often somebody may guess."""

from __future__ import annotations

import pytest

from centralized_ml_api.api.joining import TRIES, TRY_SECONDS
from centralized_ml_api.local.keys.places import (
    NameTakenError,
    PlacesTakenError,
    Tries,
    count_taken,
    take_place,
)
from centralized_ml_api.local.keys.record import TeamRecord, list_teams

Records = tuple[TeamRecord, ...]


def take(records: Records, name: str) -> Records:
    """Takes one of two places beside a team of the config."""
    return take_place(records, name, "key", places=2, listed=("red",))


def test_a_team_that_joins_has_the_key_and_a_place() -> None:
    records = take((TeamRecord("red", "k"),), "Owls")
    assert records == (TeamRecord("red", "k"), TeamRecord("Owls", "key", joined=True))
    assert count_taken(records, ("red",)) == 1


@pytest.mark.parametrize("name", ["red", "RED", "old", "OLD", "Owls", "owls"])
def test_a_name_is_taken_whoever_has_or_had_it(name: str) -> None:
    records = (TeamRecord("old", "k", listed=False), TeamRecord("Owls", None, joined=True))
    with pytest.raises(NameTakenError):
        take(records, name)


def test_a_team_of_the_config_needs_no_place_and_a_revoked_one_keeps_its_own() -> None:
    records: Records = (TeamRecord("red", "k", joined=True), TeamRecord("a", None, joined=True))
    records = take(records, "b")
    with pytest.raises(PlacesTakenError):
        take(records, "c")


def test_teams_that_joined_are_listed_as_long_as_there_are_places() -> None:
    joined = take((), "Owls")
    (red, owls) = list_teams(joined, ["red"], has_places=True)
    assert (red.team, owls.team, owls.listed, owls.key) == ("red", "Owls", True, "key")
    (_, gone) = list_teams((red, owls), ["red"])
    assert not gone.listed
    (_, back) = list_teams((red, gone), ["red"], has_places=True)
    assert (back.listed, back.key) == (True, "key")


def test_an_address_may_guess_some_codes_a_minute() -> None:
    now = 100.0
    tries = Tries(lambda: now)
    for _ in range(TRIES):
        assert tries.pause_seconds("10.0.0.7") == 0
        tries.note_wrong("10.0.0.7")
    assert tries.pause_seconds("10.0.0.7") == TRY_SECONDS
    assert tries.pause_seconds("10.0.0.8") == 0
    now += TRY_SECONDS - 0.5
    assert tries.pause_seconds("10.0.0.7") == 1
    now += 0.5
    assert tries.pause_seconds("10.0.0.7") == 0


def test_the_addresses_of_one_ipv6_network_count_together() -> None:
    tries = Tries(lambda: 0.0)
    for number in range(TRIES):
        tries.note_wrong(f"2001:db8::{number:x}")
    assert tries.pause_seconds("2001:db8::ffff:1") == TRY_SECONDS
    assert tries.pause_seconds("2001:db8:0:1::1") == 0


def test_many_addresses_do_not_fill_the_memory() -> None:
    tries = Tries(lambda: 0.0)
    for number in range(10_100):
        tries.note_wrong(f"network {number}")
    assert len(tries._wrong) == 10_000  # noqa: SLF001  # what it holds is the point
